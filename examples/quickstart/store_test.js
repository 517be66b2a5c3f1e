// examples/quickstart/store_test.js: the shared bids file, torn lines and races included.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Store } = require('./store');
const { temporaryFolder } = require('./testing');

const seedFile = path.join(__dirname, 'data', 'auctions.json');
const clock = (bidder, amount) => ({ auction: 'mantel-clock', bidder, amount });

async function open(t, dataDir, onBid) {
  const store = new Store({ seedFile, dataDir, onBid });
  await store.load();
  t.after(() => store.close());
  return store;
}

test('a bid is seen by another store of the same file at once', async (t) => {
  const folder = temporaryFolder();
  const [one, two] = [await open(t, folder), await open(t, folder)];
  assert.equal((await one.place(clock('north', 300))).status, 'accepted');
  assert.equal((await two.find('mantel-clock')).leader, 'north');
});

test('the first bid may equal the starting price, a later one must be higher', async (t) => {
  const store = await open(t, temporaryFolder());
  assert.deepEqual(await store.place(clock('a', 259)), { status: 'outbid', price: 260 });
  assert.equal((await store.place(clock('a', 260))).status, 'accepted');
  assert.deepEqual(await store.place(clock('b', 260)), { status: 'outbid', price: 260 });
});

test('of equal bids placed at the same time exactly one is accepted', async (t) => {
  const folder = temporaryFolder();
  const stores = await Promise.all([1, 2, 3].map(() => open(t, folder)));
  const placed = await Promise.all(
    Array.from({ length: 30 }, (_, i) => stores[i % 3].place(clock(`bidder ${i}`, 500))));
  const winners = placed.filter(({ status }) => status === 'accepted');
  assert.equal(winners.length, 1);
  for (const store of stores) {
    assert.equal((await store.find('mantel-clock')).leader, winners[0].bid.bidder);
  }
});

test('bids survive a restart and a torn line spoils only itself', async (t) => {
  const folder = temporaryFolder();
  const before = await open(t, folder);
  await before.place(clock('kept', 300));
  fs.appendFileSync(path.join(folder, 'bids.jsonl'), '{"id":"torn","auction":"mantel-cl');

  const after = await open(t, folder);
  assert.equal((await after.find('mantel-clock')).price, 300);
  assert.equal((await after.place(clock('next', 301))).status, 'accepted');
  assert.equal((await before.find('mantel-clock')).leader, 'next');
});

test('lines that are no bids are passed over', async (t) => {
  const folder = temporaryFolder();
  const lines = ['null', '7', '{"auction":"nowhere","amount":1}', 'x'.repeat(100_000),
    '{"id":"b","auction":"mantel-clock","bidder":"ok","amount":400,"at":""}'];
  fs.writeFileSync(path.join(folder, 'bids.jsonl'), `${lines.join('\n')}\n`);
  const store = await open(t, folder);
  assert.equal((await store.find('mantel-clock')).price, 400);
});

test('deleting the file starts over', async (t) => {
  const folder = temporaryFolder();
  const store = await open(t, folder);
  await store.place(clock('gone', 300));
  fs.rmSync(path.join(folder, 'bids.jsonl'));
  assert.equal((await store.find('mantel-clock')).leader, null);
});

test('only new bids are announced, those of other stores too', async (t) => {
  const folder = temporaryFolder();
  const writer = await open(t, folder);
  await writer.place(clock('old', 300));
  const told = new Promise((resolve) => { open(t, folder, resolve).then(() => {
    writer.place(clock('new', 301));
  }); });
  assert.equal((await told).bidder, 'new');
});
