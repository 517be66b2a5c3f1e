// examples/quickstart/routes.js: which request is answered how.
'use strict';

const { HttpError, sendJson, readJson, integer } = require('./http');
const { sendPage } = require('./pages');
const { slow, large, events, echo } = require('./streams');

const BIDDER_LENGTH_MAX = 40;
const AMOUNT_MAX = 1_000_000_000;

const routes = new Map(Object.entries({
  '/api/auctions': { GET: listAuctions },
  '/api/bids': { POST: placeBid },
  '/slow': { GET: slow },
  '/large': { GET: large },
  '/events': { GET: events },
  '/echo': { POST: echo },
  '/health': { GET: health },
  '/ready': { GET: ready },
}));
const auctionPath = /^\/api\/auctions\/([a-z0-9-]{1,64})$/;

// context: { replica, store, pages, lifecycle, crashAllowed }, the same for every request.
async function handle(context, request, response) {
  const [path, search] = request.url.split('?', 2);
  const query = new URLSearchParams(search);
  try {
    const handler = find(context, path, request.method);
    await handler({ ...context, path, query }, request, response);
  } catch (error) {
    fail(error, request, response);
  }
}

function find({ pages, crashAllowed }, path, method) {
  const methods = routes.get(path)
    ?? (auctionPath.test(path) ? { GET: showAuction } : undefined)
    ?? (pages.has(path) ? { GET: showPage } : undefined)
    ?? (crashAllowed && path === '/crash' ? { GET: crash } : undefined);
  if (!methods) throw new HttpError(404, `nothing at ${path}`);
  const handler = methods[method === 'HEAD' ? 'GET' : method];
  if (handler) return handler;
  const allow = Object.keys(methods).join(', ').replace('GET', 'GET, HEAD');
  throw new HttpError(405, `${method} is not for ${path}`, {}, { allow });
}

function fail(error, request, response) {
  if (request.destroyed && !request.complete) return response.destroy(); // The client has left.
  if (!(error instanceof HttpError)) console.error(error);
  if (response.headersSent) return response.destroy(); // Visibly cut rather than wrongly ended.
  const { status = 500, message, more, headers } =
    error instanceof HttpError ? error : { message: 'internal error' };
  sendJson(response, status, { error: message, ...more }, headers);
}

function requireReady({ lifecycle }) {
  if (!lifecycle.isReady) throw new HttpError(503, 'still loading', {}, { 'retry-after': '1' });
}

async function listAuctions(context, request, response) {
  requireReady(context);
  sendJson(response, 200, { auctions: await context.store.list() });
}

async function showAuction(context, request, response) {
  requireReady(context);
  const auction = await context.store.find(auctionPath.exec(context.path)[1]);
  if (!auction) throw new HttpError(404, 'no such auction');
  sendJson(response, 200, auction);
}

async function placeBid(context, request, response) {
  requireReady(context);
  const bid = checkedBid(await readJson(request), context.store);
  const placed = await context.store.place(bid);
  if (placed.status === 'full') throw new HttpError(507, 'no room for more bids');
  if (placed.status === 'outbid') {
    throw new HttpError(409, `the price is ${placed.price} already`, { price: placed.price });
  }
  sendJson(response, 201, placed.bid, { location: `/api/auctions/${bid.auction}` });
}

function checkedBid(value, store) {
  const { auction, bidder, amount } = value !== null && typeof value === 'object' ? value : {};
  const name = typeof bidder === 'string' ? bidder.trim() : '';
  const fields = {};
  if (typeof auction !== 'string' || !store.has(auction)) fields.auction = 'no such auction';
  if (name === '' || name.length > BIDDER_LENGTH_MAX || /\p{Cc}/u.test(name)) {
    fields.bidder = `must be a name of 1 to ${BIDDER_LENGTH_MAX} characters`;
  }
  if (!Number.isInteger(amount) || amount < 1 || amount > AMOUNT_MAX) {
    fields.amount = `must be a whole number from 1 to ${AMOUNT_MAX}`;
  }
  if (Object.keys(fields).length > 0) throw new HttpError(400, 'not a valid bid', { fields });
  return { auction, bidder: name, amount };
}

function showPage({ pages, path }, request, response) {
  sendPage(pages.get(path), request, response);
}

// Alive, whatever it is doing.
function health({ replica }, request, response) {
  const { pid } = process;
  sendJson(response, 200, { status: 'ok', replica, pid, uptime_s: Math.floor(process.uptime()) });
}

// Wants requests.
function ready({ replica, lifecycle }, request, response) {
  const isReady = lifecycle.isReady && !lifecycle.isDraining;
  const status = lifecycle.isDraining ? 'draining' : isReady ? 'ready' : 'loading';
  sendJson(response, isReady ? 200 : 503, { status, replica });
}

// GET /crash?code=1: leaves without an answer, as a bug would.
function crash({ query }) {
  process.exit(integer(query, 'code', { otherwise: 1, min: 0, max: 255 }));
}

module.exports = { handle };
