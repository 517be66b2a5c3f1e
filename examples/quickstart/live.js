// examples/quickstart/live.js: the WebSocket at /live: echoes what it gets, tells every bid.
'use strict';

const { WebSocketServer, WebSocket } = require('ws');

const CLIENTS_MAX = 10_000;
const MESSAGE_BYTES_MAX = 1024 * 1024;
const UNSENT_BYTES_MAX = 1024 * 1024; // Per client that reads too slowly.

class Live {
  #replica;
  #lifecycle;
  #sockets = new WebSocketServer({
    noServer: true, maxPayload: MESSAGE_BYTES_MAX, perMessageDeflate: false,
  });

  constructor({ replica, lifecycle }) {
    this.#replica = replica;
    this.#lifecycle = lifecycle;
    this.#sockets.on('headers', (headers) => headers.push(`x-replica: ${replica}`));
  }

  // The HTTP server's 'upgrade' event.
  upgrade(request, socket, head) {
    socket.on('error', () => socket.destroy());
    const [path, query] = request.url.split('?', 2);
    if (path !== '/live') return this.#refuse(socket, '404 Not Found');
    if (this.#lifecycle.isDraining || this.#sockets.clients.size >= CLIENTS_MAX) {
      return this.#refuse(socket, '503 Service Unavailable');
    }
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      this.#serve(client, new URLSearchParams(query));
    });
  }

  // A client that does not keep up is dropped: it reloads the list when it comes back.
  broadcast(bid) {
    const message = JSON.stringify({ type: 'bid', replica: this.#replica, bid });
    for (const client of this.#sockets.clients) {
      if (client.readyState !== WebSocket.OPEN) continue;
      if (client.bufferedAmount > UNSENT_BYTES_MAX) client.terminate();
      else client.send(message);
    }
  }

  drain() {
    for (const client of this.#sockets.clients) client.close(1001, 'replica stops');
  }

  terminate() {
    for (const client of this.#sockets.clients) client.terminate();
  }

  // With ?hello=1 the first message names the replica: a page cannot see the handshake's headers.
  #serve(client, query) {
    client.on('error', () => client.terminate());
    client.on('message', (data, isBinary) => {
      if (client.readyState !== WebSocket.OPEN) return;
      client.send(data, { binary: isBinary }, () => { if (client.isPaused) client.resume(); });
      if (client.bufferedAmount > UNSENT_BYTES_MAX) client.pause();
    });
    if (query.get('hello') === '1') {
      client.send(JSON.stringify({ type: 'hello', replica: this.#replica }));
    }
  }

  #refuse(socket, status) {
    socket.end(`HTTP/1.1 ${status}\r\nx-replica: ${this.#replica}\r\n` +
      'connection: close\r\ncontent-length: 0\r\n\r\n');
  }
}

module.exports = { Live };
