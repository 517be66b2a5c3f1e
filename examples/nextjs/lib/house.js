// examples/nextjs/lib/house.js: what is for sale, and the bids, in a file that all replicas share.
import { randomUUID } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import path from 'node:path';

const FILE_BYTES_MAX = 1024 * 1024; // Read whole for each page: a database goes here one day.
const SHOWN_MAX = 8;

const seedFile = path.join(process.cwd(), 'data', 'items.json');
export const bidsFile = path.join(process.env.DATA_DIR || path.join(process.cwd(), 'data'),
  'bids.jsonl');

export async function findItems() {
  const [seed, text] = await Promise.all([readFile(seedFile, 'utf8'), readBids()]);
  const items = JSON.parse(seed).map((item) => ({ ...item, price: item.start, bids: [] }));
  const byId = new Map(items.map((item) => [item.id, item]));
  // Each bid is one line and one O_APPEND write, so lines of several replicas never mix. Their
  // order decides who was first, and each replica comes to the same leader without a lock.
  for (const line of text.split('\n')) {
    const bid = parseBid(line);
    const item = bid && byId.get(bid.item);
    if (!item || !beats(item, bid.amount)) continue;
    item.price = bid.amount;
    item.bids.unshift(bid);
  }
  return items;
}

export async function findItem(id) {
  return (await findItems()).find((item) => item.id === id);
}

// What pages and sockets show of an item.
export function shown(item) {
  return { ...item, count: item.bids.length, bids: item.bids.slice(0, SHOWN_MAX) };
}

// What is wrong with it, or null once it is written and leads.
export async function placeBid(id, user, amount) {
  const item = await findItem(id);
  if (!item) return 'There is no such item.';
  if (!Number.isSafeInteger(amount)) return 'A bid is a whole number.';
  if (!beats(item, amount)) return `Others have bid ${item.price} already.`;
  if ((await readBids()).length > FILE_BYTES_MAX) return 'The book of bids is full.';

  const bid = { id: randomUUID(), item: id, user, amount, at: new Date().toISOString() };
  await appendFile(bidsFile, `${JSON.stringify(bid)}\n`);
  const after = await findItem(id);
  return after.bids.some((one) => one.id === bid.id) ? null : `Others have bid ${after.price}.`;
}

// The first bid may equal the starting price.
function beats(item, amount) {
  return item.bids.length === 0 ? amount >= item.start : amount > item.price;
}

async function readBids() {
  try {
    return await readFile(bidsFile, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

function parseBid(line) {
  try {
    return JSON.parse(line);
  } catch {
    return null; // The last line, or one that a full disk cut short.
  }
}
