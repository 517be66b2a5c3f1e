// examples/quickstart/server.js: starts one replica of the auction house, and stops it gracefully.
'use strict';

const http = require('node:http');
const path = require('node:path');
const { Lifecycle } = require('./lifecycle');
const { Live } = require('./live');
const { loadPages } = require('./pages');
const { handle } = require('./routes');
const { Store } = require('./store');

const STOP_MS_MAX = 8000; // Below the 10 s after which most supervisors kill.

function readSettings(environment) {
  const port = Number(environment.PORT ?? 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`PORT must be a number from 0 to 65535, not '${environment.PORT}'`);
  }
  return {
    port,
    replica: environment.SPILLWAY_REPLICA || String(process.pid),
    dataDir: environment.DATA_DIR || path.join(__dirname, 'data'),
    crashAllowed: environment.NODE_ENV === 'test' || environment.ALLOW_CRASH === '1',
    logRequests: environment.LOG_REQUESTS === '1',
  };
}

function logWhenDone(request, response, replica) {
  const { method, url } = request;
  const started = process.hrtime.bigint();
  response.once('close', () => {
    console.log(JSON.stringify({
      time: new Date().toISOString(), replica, method, url, status: response.statusCode,
      complete: response.writableFinished,
      ms: Number((process.hrtime.bigint() - started) / 1000n) / 1000,
    }));
  });
}

function createServer(settings, context, live) {
  const { replica, lifecycle } = context;
  const server = http.createServer({ keepAlive: true, keepAliveInitialDelay: 30_000 });
  const serve = (request, response) => {
    response.setHeader('x-replica', replica);
    lifecycle.track(response);
    response.once('close', () => {
      // A connection kept alive before the drain is idle only from now on.
      if (lifecycle.isDraining) setImmediate(() => server.closeIdleConnections());
    });
    if (settings.logRequests) logWhenDone(request, response, replica);
    handle(context, request, response);
  };
  server.on('request', serve);
  server.on('upgrade', (request, socket, head) => live.upgrade(request, socket, head));
  return server;
}

function stopOnSignal(server, { store, lifecycle }, live) {
  const stop = () => {
    if (lifecycle.isDraining) return;
    lifecycle.drain();
    server.close(() => process.exit(0));
    server.closeIdleConnections(); // Node 18 leaves them open.
    live.drain();
    store.close();
    setTimeout(() => {
      console.error(`quickstart: cutting what is left after ${STOP_MS_MAX} ms`);
      live.terminate();
      server.closeAllConnections();
      process.exit(0);
    }, STOP_MS_MAX);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

// Listens before the data is there: /health answers at once, /ready when requests may come.
async function main() {
  const settings = readSettings(process.env);
  const { replica, crashAllowed } = settings;
  const lifecycle = new Lifecycle();
  const live = new Live({ replica, lifecycle });
  const store = new Store({
    seedFile: path.join(__dirname, 'data', 'auctions.json'),
    dataDir: settings.dataDir,
    onBid: (bid) => live.broadcast(bid),
  });
  const pages = loadPages(path.join(__dirname, 'public'));
  const context = { replica, store, pages, lifecycle, crashAllowed };
  const server = createServer(settings, context, live);
  stopOnSignal(server, context, live);

  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, '127.0.0.1', resolve);
  });
  console.log(`quickstart ${replica} listens on http://127.0.0.1:${server.address().port}`);
  await store.load();
  lifecycle.isReady = true;
}

main().catch((error) => {
  console.error(`quickstart: ${error.message}`);
  process.exit(1);
});
