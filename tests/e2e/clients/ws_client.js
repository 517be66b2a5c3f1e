// tests/e2e/clients/ws_client.js: many WebSockets that check their echoes and report every cut.
'use strict';

const { performance } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');
const { requireFromQuickstart, readOptions, increment, percentiles, onStop } =
  require('./options');
const { WebSocket } = requireFromQuickstart('ws');

const SAMPLES_MAX = 1_000_000;

const options = readOptions('opens WebSockets, sends numbered messages, verifies the echoes', {
  count: { otherwise: 10, min: 1, max: 20_000, help: 'sockets' },
  interval: { otherwise: 100, min: 1, max: 60_000, help: 'ms between messages of a socket' },
  duration: { otherwise: 2000, min: 0, max: 3_600_000, help: 'ms of sending, once all are open' },
  size: { otherwise: 64, min: 64, max: 1_000_000, help: 'bytes of a message' },
  settle: { otherwise: 2000, min: 0, max: 60_000, help: 'ms to wait for the last echoes' },
  handshake: { otherwise: 5000, min: 1, max: 60_000, help: 'ms for opening a socket' },
});

// One socket. Echoes must come back whole and in order; bids of others are counted, not echoes.
class Client {
  constructor(number, run) {
    this.number = number;
    this.run = run;
    this.sent = 0;
    this.echoed = 0;
    this.isClosing = false;
    this.waiting = []; // Sent and not yet echoed: { text, at }.
  }

  // Resolves to whether it opened.
  open() {
    this.socket = new WebSocket(options.url, {
      handshakeTimeout: options.handshake, perMessageDeflate: false });
    this.socket.on('upgrade', (response) => {
      increment(this.run.replicas, response.headers['x-replica'] ?? 'unknown');
    });
    this.socket.on('message', (data, isBinary) => this.receive(data, isBinary));
    return new Promise((resolve) => {
      this.socket.once('open', () => {
        this.socket.on('close', (code, reason) => this.closed(code, reason));
        resolve(true);
      });
      this.socket.on('error', (error) => {
        this.error = error.code ?? error.message;
        if (this.socket.readyState === WebSocket.OPEN) return;
        resolve(false);
      });
    });
  }

  send() {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const head = JSON.stringify({ socket: this.number, n: this.sent });
    const text = head.padEnd(options.size, '.');
    this.waiting.push({ text, at: performance.now() });
    this.sent += 1;
    this.socket.send(text, () => {}); // A failure shows as a cut.
  }

  receive(data, isBinary) {
    const text = data.toString();
    if (!isBinary && /^\{"type":"(bid|hello)"/.test(text)) {
      this.run.broadcasts += 1;
      return;
    }
    const expected = this.waiting.shift();
    if (isBinary || text !== expected?.text) {
      this.run.wrong += 1;
      return;
    }
    this.echoed += 1;
    if (this.run.latencies.length < SAMPLES_MAX) {
      this.run.latencies.push(performance.now() - expected.at);
    }
  }

  closed(code, reason) {
    if (this.isClosing) return;
    this.run.cuts.push({
      socket: this.number, code, reason: reason.toString(), error: this.error ?? null,
      at_ms: Math.round(performance.now() - this.run.started),
      time: new Date().toISOString(), unanswered: this.waiting.length,
    });
  }

  async close() {
    this.isClosing = true;
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => { this.socket.once('close', resolve); });
    this.socket.close(1000);
    await Promise.race([closed, sleep(1000, undefined, { ref: false })]);
    this.socket.terminate();
  }
}

async function main() {
  const run = { started: performance.now(), replicas: {}, broadcasts: 0, wrong: 0, cuts: [],
    latencies: [] };
  const stopped = new AbortController();
  onStop(() => stopped.abort());

  const clients = Array.from({ length: options.count }, (_, i) => new Client(i, run));
  const opened = await Promise.all(clients.map((client) => client.open()));
  const open = clients.filter((_, i) => opened[i]);
  const failures = {};
  for (const client of clients) if (!open.includes(client)) increment(failures, client.error);
  console.error(`open ${open.length}/${options.count}`); // Whoever watches may begin its faults.

  const timers = open.map((client) => setInterval(() => client.send(), options.interval));
  if (open.length > 0) {
    await sleep(options.duration, undefined, { signal: stopped.signal }).catch(() => {});
  }
  timers.forEach(clearInterval);
  const settled = performance.now() + options.settle;
  const isWaiting = ({ socket, waiting }) =>
    waiting.length > 0 && socket.readyState === WebSocket.OPEN;
  while (open.some(isWaiting) && performance.now() < settled) await sleep(5);
  await Promise.all(open.map((client) => client.close()));
  report(run, open, failures);
}

function report(run, open, failures) {
  const sum = (name) => open.reduce((total, client) => total + client[name], 0);
  const [sent, echoed] = [sum('sent'), sum('echoed')];
  const isClean = open.length === options.count && run.cuts.length === 0 && run.wrong === 0 &&
    sent === echoed;
  console.log(JSON.stringify({
    clean: isClean, count: options.count, opened: open.length, open_failures: failures,
    sent, echoed, missing: sent - echoed, wrong: run.wrong, broadcasts: run.broadcasts,
    cut: run.cuts.length, cuts: run.cuts, replicas: run.replicas,
    echo_ms: percentiles(run.latencies), duration_ms: Math.round(performance.now() - run.started),
  }));
  process.exitCode = isClean ? 0 : 1;
}

main();
