// examples/quickstart/server_test.js: two replicas by themselves, asked over HTTP and WebSocket.
'use strict';

const assert = require('node:assert/strict');
const net = require('node:net');
const { once } = require('node:events');
const { after, before, test } = require('node:test');
const { WebSocket } = require('ws');
const { matchesPattern } = require('./pattern');
const { startReplica, temporaryFolder } = require('./testing');

let one;
let two;

before(async () => {
  const folder = temporaryFolder();
  [one, two] = await Promise.all([startReplica('one', folder), startReplica('two', folder)]);
});

after(() => Promise.all([one.stop(), two.stop()]));

function bid(replica, value) {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  return fetch(`${replica.base}/api/bids`, { method: 'POST', body });
}

async function connect(replica) {
  const socket = new WebSocket(`${replica.base.replace('http', 'ws')}/live`);
  await once(socket, 'open');
  return socket;
}

test('each answer names its replica, errors too', async () => {
  for (const path of ['/', '/health', '/api/auctions', '/nowhere']) {
    assert.equal((await fetch(two.base + path)).headers.get('x-replica'), 'two');
  }
});

test('the page is served with a validator', async () => {
  const page = await fetch(`${one.base}/`);
  assert.match(await page.text(), /auction house/);
  const again = await fetch(`${one.base}/`, {
    headers: { 'if-none-match': page.headers.get('etag'), 'cache-control': 'no-cache' } });
  assert.equal(again.status, 304);
  assert.equal((await fetch(`${one.base}/..%2fserver.js`)).status, 404);
});

test('a bid is written once, listed by the other replica and told to its sockets', async () => {
  const socket = await connect(two);
  const told = once(socket, 'message');
  const placed = await bid(one, { auction: 'river-map', bidder: 'east', amount: 1000 });
  assert.equal(placed.status, 201);
  const seen = await (await fetch(`${two.base}/api/auctions/river-map`)).json();
  assert.deepEqual([seen.price, seen.leader, seen.bids], [1000, 'east', 1]);
  assert.equal(JSON.parse(await told.then(([data]) => data)).bid.bidder, 'east');
  socket.close();
});

test('bad bids are refused and say why', async () => {
  const good = { auction: 'brass-sextant', bidder: 'west', amount: 500 };
  const refusals = [
    [400, '{'], [400, 'null'], [400, '[]'], [400, ''],
    [400, { ...good, auction: 'none' }], [400, { ...good, bidder: ' ' }],
    [400, { ...good, bidder: 'a\nb' }], [400, { ...good, amount: '500' }],
    [400, { ...good, amount: 1.5 }], [400, { ...good, amount: 2e9 }],
    [409, { ...good, amount: 1 }], [413, 'x'.repeat(20_000)],
  ];
  for (const [status, value] of refusals) {
    const answer = await bid(one, value);
    assert.equal(answer.status, status, JSON.stringify(value).slice(0, 80));
    assert.ok((await answer.json()).error);
  }
});

test('bounds of queries are checked and wrong methods named', async () => {
  for (const path of ['/slow?ms=-1', '/slow?ms=60001', '/large?bytes=2147483649', '/large?bytes=x',
    '/events?every=1', '/events?count=0']) {
    assert.equal((await fetch(one.base + path)).status, 400, path);
  }
  const wrong = await fetch(`${one.base}/api/bids`, { method: 'DELETE' });
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'POST']);
  assert.equal((await fetch(`${one.base}/crash`)).status, 404);
});

test('large answers have the bytes of the pattern', async () => {
  const answer = await fetch(`${one.base}/large?bytes=1000003`);
  let offset = 0;
  for await (const chunk of answer.body) {
    assert.ok(matchesPattern(chunk, offset));
    offset += chunk.length;
  }
  assert.equal(offset, 1000003);
  const head = await fetch(`${one.base}/large?bytes=2147483648`, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), '2147483648');
});

test('echo returns a body of known and of unknown length', async () => {
  const body = Buffer.alloc(300_000, 'spill');
  const known = await fetch(`${one.base}/echo`, { method: 'POST', body });
  assert.equal(known.headers.get('content-length'), '300000');
  assert.ok(body.equals(Buffer.from(await known.arrayBuffer())));
  const chunks = new Blob([body]).stream();
  const chunked = await fetch(`${one.base}/echo`, { method: 'POST', body: chunks, duplex: 'half' });
  assert.ok(body.equals(Buffer.from(await chunked.arrayBuffer())));
});

test('events come one by one and end after their count', async () => {
  const answer = await fetch(`${one.base}/events?every=10&count=3`);
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  assert.deepEqual((await answer.text()).match(/^id: \d+$/gm), ['id: 1', 'id: 2', 'id: 3']);
});

test('a socket gets its messages back as they were', async () => {
  const socket = new WebSocket(`${one.base.replace('http', 'ws')}/live?hello=1`);
  const [hello] = await once(socket, 'message'); // May come along with the handshake's answer.
  assert.deepEqual(JSON.parse(hello), { type: 'hello', replica: 'one' });
  for (const message of ['text', Buffer.from([0, 1, 255])]) {
    socket.send(message);
    const [data, isBinary] = await once(socket, 'message');
    assert.equal(isBinary, Buffer.isBuffer(message));
    assert.deepEqual(data, Buffer.from(message));
  }
  socket.close();
});

test('TERM finishes what runs, closes sockets with 1001 and leaves with 0', async () => {
  const replica = await startReplica('leaving', temporaryFolder(), { LOG_REQUESTS: '1' });
  const socket = await connect(replica);
  const closed = once(socket, 'close');
  const events = await fetch(`${replica.base}/events`);
  const request = net.connect(new URL(replica.base).port, '127.0.0.1');
  request.write('GET /slow?ms=400 HTTP/1.1\r\nhost: a\r\n\r\n');
  let answer = '';
  request.on('data', (text) => { answer += text; });
  const ended = once(request, 'end');
  await fetch(`${replica.base}/health`); // By now the slow request has been read.

  const left = await replica.stop();
  await ended;
  assert.deepEqual(left, { code: 0, signal: null });
  assert.match(answer, /^HTTP\/1\.1 200 [^]*connection: close[^]*"waited_ms":400/i);
  assert.equal((await closed)[0], 1001);
  assert.match(await events.text(), /event: tick/);
  assert.match(replica.child.output, /"url":"\/slow\?ms=400","status":200,"complete":true/);
});

test('a crash, where allowed, leaves with the code asked for', async () => {
  const replica = await startReplica('crashing', temporaryFolder(), { ALLOW_CRASH: '1' });
  await assert.rejects(fetch(`${replica.base}/crash?code=7`));
  assert.equal((await replica.exited).code, 7);
});
