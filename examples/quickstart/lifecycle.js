// examples/quickstart/lifecycle.js: starting, ready, draining: what a replica may still take on.
'use strict';

class Lifecycle {
  isReady = false;    // The data is loaded.
  isDraining = false; // SIGTERM has come: finish what runs, begin nothing that lasts.
  #responses = new Set();
  #streams = new Set();

  // A response under way. While draining, its connection is not kept for another request.
  track(response) {
    this.#responses.add(response);
    response.once('close', () => this.#responses.delete(response));
    if (this.isDraining) response.setHeader('connection', 'close');
  }

  // A response without an end of its own: end() is called when draining starts.
  trackStream(response, end) {
    this.#streams.add(end);
    response.once('close', () => this.#streams.delete(end));
    if (this.isDraining) end();
  }

  drain() {
    this.isDraining = true;
    for (const response of this.#responses) {
      if (!response.headersSent) response.setHeader('connection', 'close');
    }
    for (const end of [...this.#streams]) end();
  }
}

module.exports = { Lifecycle };
