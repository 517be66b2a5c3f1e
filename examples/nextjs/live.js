// examples/nextjs/live.js: the WebSockets: everybody may watch an item, who is signed in may bid.
import fs from 'node:fs';
import { WebSocketServer } from 'ws';
import { bidsFile, findItem, findItems, placeBid, shown } from './lib/house.js';

const LOOK_MS = 200;
const WAITING_BYTES_MAX = 64 * 1024; // A socket that reads more slowly is closed.

// GET /live?item=ID watches. GET /live/bids?item=ID bids too: Spillway lets only those pass who are
// signed in, and says who they are in x-user, which no client can write.
export class Live {
  #sockets = new WebSocketServer({ noServer: true, clientTracking: true, maxPayload: 1024 });
  #replica;

  constructor(replica) {
    this.#replica = replica;
    fs.watchFile(bidsFile, { interval: LOOK_MS }, () => this.#tell()); // Other replicas' bids too.
  }

  async upgrade(request, socket, head) {
    const url = new URL(request.url, 'http://localhost');
    const user = url.pathname === '/live/bids' ? request.headers['x-user'] : undefined;
    const item = await findItem(url.searchParams.get('item'));
    if (!item || !(user || url.pathname === '/live')) return refuse(socket, 404, 'Not Found');
    if (!isSameOrigin(request)) return refuse(socket, 403, 'Forbidden');
    this.#sockets.handleUpgrade(request, socket, head, (stream) => {
      stream.item = item.id;
      stream.on('error', () => {}); // It closes itself.
      stream.on('message', (data) => this.#take(stream, user, data));
      this.#show(stream, item);
    });
  }

  // Browsers connect again, to a replica that stays.
  close() {
    fs.unwatchFile(bidsFile);
    for (const stream of this.#sockets.clients) stream.close(1001, 'going away');
  }

  async #take(stream, user, data) {
    const reason = user ? await placeBid(stream.item, user, parseAmount(data)).catch(report)
      : 'Sign in to bid.';
    if (reason) stream.send(JSON.stringify({ type: 'refused', reason }));
    else await this.#tell();
  }

  async #tell() {
    const items = await findItems().catch(report);
    for (const stream of this.#sockets.clients) {
      const item = Array.isArray(items) && items.find((one) => one.id === stream.item);
      if (item && item.bids.length !== stream.told) this.#show(stream, item);
    }
  }

  #show(stream, item) {
    if (stream.bufferedAmount > WAITING_BYTES_MAX) return stream.terminate();
    stream.told = item.bids.length;
    stream.send(JSON.stringify({ type: 'item', replica: this.#replica, item: shown(item) }));
  }
}

function parseAmount(data) {
  try {
    return JSON.parse(data).amount;
  } catch {
    return NaN;
  }
}

// Pages of other sites may not speak for a user: cookies go along with WebSockets.
function isSameOrigin({ headers }) {
  try {
    return new URL(headers.origin).host === headers.host;
  } catch {
    return false;
  }
}

function refuse(socket, status, words) {
  socket.end(`HTTP/1.1 ${status} ${words}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function report(error) {
  console.error(`nextjs: ${error.message}`);
  return 'Something went wrong. Try again.';
}
