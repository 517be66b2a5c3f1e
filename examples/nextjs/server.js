// examples/nextjs/server.js: one replica: Next.js, with WebSockets and Spillway's probes beside it.
import http from 'node:http';
import next from 'next';
import { Live } from './live.js';

const STOP_MS_MAX = 8000; // Below the 10 s after which Spillway kills.
const port = Number(process.env.PORT ?? 3000);
const hostname = '127.0.0.1'; // Spillway is the way in: it says who is signed in.
const replica = process.env.SPILLWAY_REPLICA || String(process.pid);

let isReady = false;
let isStopping = false;

const live = new Live(replica);
const server = http.createServer((request, response) => {
  response.setHeader('x-replica', replica);
  response.once('close', () => {
    // A connection kept alive before the stop is idle only from now on.
    if (isStopping) setImmediate(() => server.closeIdleConnections());
  });
  if (request.url === '/health') return answer(response, 200);
  if (request.url === '/ready') return answer(response, isReady && !isStopping ? 200 : 503);
  if (!isReady) return answer(response, 503);
  handle(request, response);
});
server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => socket.destroy());
  live.upgrade(request, socket, head).catch(() => socket.destroy());
});

function answer(response, status) {
  response.writeHead(status, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
  response.end(`${http.STATUS_CODES[status]}\n`);
}

function stop() {
  if (isStopping) return;
  isStopping = true;
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  live.close();
  setTimeout(() => process.exit(0), STOP_MS_MAX);
}

const app = next({ dev: false, hostname, port, httpServer: server });
const handle = app.getRequestHandler();
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
server.listen(port, hostname);
await app.prepare();
isReady = true;
console.log(`nextjs ${replica} listens on http://${hostname}:${server.address().port}`);
