// examples/quickstart/store.js: the auctions, and every bid in one file that all replicas share.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { randomUUID } = require('node:crypto');

const FILE_BYTES_MAX = 64 * 1024 * 1024; // Read whole at the start; half a million bids.
const LINE_BYTES_MAX = 4096;             // A valid bid needs under 400.
const HISTORY_MAX = 20;                  // Bids kept in memory per auction.
const READ_BYTES = 64 * 1024;
const POLL_MS = 1000;                    // Only where the file cannot be watched.

// The file only grows: one JSON line per bid, appended by one O_APPEND write, so lines of several
// processes never mix. Its order decides who was first: each replica replays the same lines and
// comes to the same leader, without a lock. Nobody rewrites it; delete it to start over.
class Store {
  #seedFile;
  #bidsFile;
  #onBid;
  #auctions = new Map();
  #verdicts = new Map(); // Bids this process has appended and not read back yet: id -> accepted.
  #inode = 0;
  #offset = 0;
  #tail = Buffer.alloc(0); // The start of a line whose end is not read yet.
  #isLoaded = false;
  #reading = null;
  #readingNext = null;
  #watcher = null;
  #poll = null;

  // onBid(bid) is called for each accepted bid of any replica that arrives after load().
  constructor({ seedFile, dataDir, onBid = () => {} }) {
    this.#seedFile = seedFile;
    this.#bidsFile = path.join(dataDir, 'bids.jsonl');
    this.#onBid = onBid;
  }

  async load() {
    await fs.promises.mkdir(path.dirname(this.#bidsFile), { recursive: true });
    await this.#reset();
    await this.refresh();
    this.#isLoaded = true;
    this.#watch();
  }

  close() {
    this.#watcher?.close();
    clearInterval(this.#poll);
  }

  async list() {
    await this.refresh();
    return [...this.#auctions.values()].map(summary);
  }

  // The auction with its latest bids, newest first; undefined if there is none of that id.
  async find(id) {
    await this.refresh();
    const auction = this.#auctions.get(id);
    return auction && { ...summary(auction), latest: [...auction.latest].reverse() };
  }

  has(id) {
    return this.#auctions.has(id);
  }

  // Resolves once the bid is on the disk and its place in the order is known:
  // { status: 'accepted', bid }, { status: 'outbid', price } or { status: 'full' }.
  async place({ auction: id, bidder, amount }) {
    await this.refresh();
    const auction = this.#auctions.get(id);
    if (!beats(auction, amount)) return { status: 'outbid', price: auction.price };

    const bid = { id: randomUUID(), auction: id, bidder, amount, at: new Date().toISOString() };
    if (this.#offset + LINE_BYTES_MAX > FILE_BYTES_MAX) return { status: 'full' };
    this.#verdicts.set(bid.id, undefined);
    try {
      await this.#append(bid);
      await this.refresh();
      const accepted = this.#verdicts.get(bid.id);
      if (accepted === undefined) throw new Error(`${this.#bidsFile} lost a bid: was it replaced?`);
      if (accepted) return { status: 'accepted', bid };
      return { status: 'outbid', price: this.#auctions.get(id).price };
    } finally {
      this.#verdicts.delete(bid.id);
    }
  }

  // Reads what any replica has appended before this call. A read under way may have looked at the
  // file too early for the caller, so callers that arrive meanwhile share the one after it.
  refresh() {
    if (!this.#reading) {
      this.#reading = this.#readNew().finally(() => { this.#reading = null; });
      return this.#reading;
    }
    this.#readingNext ??= this.#reading.catch(() => {}).then(() => {
      this.#readingNext = null;
      return this.refresh();
    });
    return this.#readingNext;
  }

  async #reset() {
    const seed = JSON.parse(await fs.promises.readFile(this.#seedFile, 'utf8'));
    this.#auctions = new Map(seed.map((item) => [
      item.id, { ...item, price: item.start, leader: null, bids: 0, latest: [] },
    ]));
    this.#inode = 0;
    this.#offset = 0;
    this.#tail = Buffer.alloc(0);
  }

  async #readNew() {
    const { ino, size } = await statOrEmpty(this.#bidsFile);
    const isReplaced = this.#inode !== 0 && ino !== this.#inode;
    if (isReplaced || size < this.#offset) await this.#reset();
    this.#inode = ino;
    if (size === this.#offset) return;
    if (size > FILE_BYTES_MAX) throw new Error(`${this.#bidsFile} is over ${FILE_BYTES_MAX} bytes`);

    const file = await fs.promises.open(this.#bidsFile, 'r');
    try {
      const buffer = Buffer.alloc(READ_BYTES);
      while (this.#offset < size) {
        const length = Math.min(READ_BYTES, size - this.#offset);
        const { bytesRead } = await file.read(buffer, 0, length, this.#offset);
        if (bytesRead === 0) break;
        this.#offset += bytesRead;
        this.#takeLines(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }

  #takeLines(chunk) {
    const bytes = Buffer.concat([this.#tail, chunk]);
    let start = 0;
    for (let end; (end = bytes.indexOf(0x0a, start)) !== -1; start = end + 1) {
      this.#apply(parseBid(bytes.toString('utf8', start, end)));
    }
    this.#tail = bytes.subarray(start);
    if (this.#tail.length > LINE_BYTES_MAX) this.#tail = Buffer.alloc(0); // Not one of our lines.
  }

  #apply(bid) {
    const auction = bid && this.#auctions.get(bid.auction);
    if (!auction) return;
    const accepted = beats(auction, bid.amount);
    if (this.#verdicts.has(bid.id)) this.#verdicts.set(bid.id, accepted);
    if (!accepted) return;
    auction.price = bid.amount;
    auction.leader = bid.bidder;
    auction.bids += 1;
    auction.latest.push(bid);
    if (auction.latest.length > HISTORY_MAX) auction.latest.shift();
    if (this.#isLoaded) this.#onBid(bid);
  }

  // A line left unfinished by a full disk spoils only itself: the next one starts with a newline.
  async #append(bid) {
    const line = Buffer.from(`${this.#tail.length > 0 ? '\n' : ''}${JSON.stringify(bid)}\n`);
    const file = await fs.promises.open(this.#bidsFile, 'a');
    try {
      const { bytesWritten } = await file.write(line);
      if (bytesWritten !== line.length) throw new Error(`${this.#bidsFile}: short write`);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  // The folder is watched, not the file: the file may not exist yet, or be deleted.
  #watch() {
    const refresh = () => this.refresh().catch((error) => console.error(error.message));
    const poll = () => { this.#poll ??= setInterval(refresh, POLL_MS).unref(); };
    try {
      const name = path.basename(this.#bidsFile);
      this.#watcher = fs.watch(path.dirname(this.#bidsFile), { persistent: false });
      this.#watcher.on('change', (_, changed) => { if (changed === name) refresh(); });
      this.#watcher.on('error', poll);
    } catch {
      poll(); // Out of inotify watches.
    }
  }
}

// The first bid may equal the starting price; each later one must be higher.
function beats(auction, amount) {
  return auction.bids === 0 ? amount >= auction.start : amount > auction.price;
}

function summary({ latest, ...auction }) {
  return { ...auction };
}

function parseBid(line) {
  try {
    const bid = JSON.parse(line);
    return bid && Number.isSafeInteger(bid.amount) ? bid : null;
  } catch {
    return null;
  }
}

async function statOrEmpty(file) {
  try {
    return await fs.promises.stat(file);
  } catch (error) {
    if (error.code === 'ENOENT') return { ino: 0, size: 0 };
    throw error;
  }
}

module.exports = { Store };
