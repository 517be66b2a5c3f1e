// examples/quickstart/streams.js: answers that take their time: slow, large, endless, echoed.
'use strict';

const { pipeline, Readable, Transform } = require('node:stream');
const { HttpError, sendJson, integer } = require('./http');
const { pattern, PATTERN_BYTES } = require('./pattern');

const SLOW_MS_MAX = 60_000;
const BODY_BYTES_MAX = 2 * 1024 ** 3;

// GET /slow?ms=500
function slow({ query, replica }, request, response) {
  const ms = integer(query, 'ms', { otherwise: 500, min: 0, max: SLOW_MS_MAX });
  const timer = setTimeout(() => sendJson(response, 200, { waited_ms: ms, replica }), ms);
  response.once('close', () => clearTimeout(timer));
}

// GET /large?bytes=N: made as fast as it is read, from one block of memory.
function large({ query }, request, response) {
  const bytes = integer(query, 'bytes', { otherwise: 1024 ** 2, min: 0, max: BODY_BYTES_MAX });
  response.writeHead(200, {
    'content-type': 'text/plain; charset=us-ascii',
    'content-length': bytes,
    'cache-control': 'no-store',
  });
  if (request.method === 'HEAD') return response.end();
  pipeline(Readable.from(blocks(bytes), { objectMode: false }), response, () => {});
}

function* blocks(bytes) {
  for (let left = bytes; left > 0; left -= PATTERN_BYTES) {
    yield left >= PATTERN_BYTES ? pattern : pattern.subarray(0, left);
  }
}

// GET /events?every=1000&count=3600: server-sent events. A reader that lags skips ticks.
function events({ query, replica, lifecycle }, request, response) {
  const every = integer(query, 'every', { otherwise: 1000, min: 10, max: 60_000 });
  const count = integer(query, 'count', { otherwise: 3600, min: 1, max: 1_000_000 });
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  if (request.method === 'HEAD') return response.end();

  let n = 0;
  const tick = () => {
    if (response.writableNeedDrain) return;
    n += 1;
    const data = JSON.stringify({ n, replica, time: new Date().toISOString() });
    response.write(`id: ${n}\nevent: tick\ndata: ${data}\n\n`);
    if (n === count) response.end();
  };
  const timer = setInterval(tick, every);
  response.once('close', () => clearInterval(timer));
  lifecycle.trackStream(response, () => { clearInterval(timer); response.end(); });
  if (!response.writableEnded) tick();
}

// POST /echo: each chunk goes back before the next is read.
function echo(context, request, response) {
  const announced = request.headers['content-length'];
  if (Number(announced) > BODY_BYTES_MAX) {
    throw new HttpError(413, `a body may have ${BODY_BYTES_MAX} bytes`, {},
      { connection: 'close' });
  }
  response.writeHead(200, {
    'content-type': request.headers['content-type'] ?? 'application/octet-stream',
    'cache-control': 'no-store',
    ...(announced !== undefined && { 'content-length': announced }),
  });
  let seen = 0;
  const bounded = new Transform({
    transform(chunk, _, done) {
      seen += chunk.length;
      done(seen > BODY_BYTES_MAX ? new Error('body too large') : null, chunk);
    },
  });
  pipeline(request, bounded, response, () => {}); // An error on either side cuts both.
}

module.exports = { slow, large, events, echo };
