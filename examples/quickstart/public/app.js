// examples/quickstart/public/app.js: shows the auctions, who answered, and each bid as it happens.
'use strict';

const TICKER_LINES_MAX = 12;
const RECONNECT_MS = 1000;

const element = (id) => document.getElementById(id);
const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR',
  maximumFractionDigits: 0 });
const cards = new Map(); // Auction id -> its card and what it shows.
const tally = new Map(); // Replica -> answers.

// Every answer names its replica: that is how one sees the load being spread.
async function ask(path, options) {
  const response = await fetch(path, options);
  const replica = response.headers.get('x-replica') ?? 'unknown';
  tally.set(replica, (tally.get(replica) ?? 0) + 1);
  element('tally').textContent =
    [...tally].sort().map(([name, count]) => `${name}: ${count}`).join(', ');
  return { status: response.status, replica, value: await response.json() };
}

async function reload() {
  try {
    const { status, replica, value } = await ask('/api/auctions');
    if (status !== 200) throw new Error(value.error);
    element('answered').textContent = `replica ${replica}`;
    value.auctions.forEach(show);
  } catch (error) {
    element('answered').textContent = `nobody (${error.message})`;
  }
}

function show(auction) {
  if (!cards.has(auction.id)) cards.set(auction.id, makeCard(auction));
  const { card } = cards.get(auction.id);
  cards.get(auction.id).auction = auction;
  const price = card.querySelector('.price');
  price.querySelector('strong').textContent = money.format(auction.price);
  price.querySelector('span').textContent = auction.leader === null ? 'starting price'
    : `by ${auction.leader}, ${auction.bids} ${auction.bids === 1 ? 'bid' : 'bids'}`;
  const least = auction.leader === null ? auction.start : auction.price + 1;
  const amount = card.querySelector('[name=amount]');
  amount.min = least;
  if (document.activeElement !== amount) amount.value = least;
}

function makeCard(auction) {
  const card = element('card').content.firstElementChild.cloneNode(true);
  card.querySelector('.art').style.setProperty('--hue', auction.hue);
  card.querySelector('h3').textContent = `${auction.title}, ${auction.year}`;
  card.querySelector('.about').textContent = auction.about;
  card.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault();
    bid(auction.id, card);
  });
  element('auctions').append(card);
  return { card, auction };
}

async function bid(auction, card) {
  const form = new FormData(card.querySelector('form'));
  const outcome = card.querySelector('.outcome');
  try {
    const { status, replica, value } = await ask('/api/bids', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        auction, bidder: form.get('bidder'), amount: Number(form.get('amount')),
      }),
    });
    const isPlaced = status === 201;
    outcome.classList.toggle('refused', !isPlaced);
    outcome.textContent = isPlaced ? `Yours for now, says replica ${replica}.`
      : Object.values(value.fields ?? {})[0] ?? value.error;
  } catch (error) {
    outcome.classList.add('refused');
    outcome.textContent = error.message;
  }
  await reload();
}

function announce({ bid: placed, replica }) {
  const shown = cards.get(placed.auction);
  if (!shown) return;
  if (shown.auction.price < placed.amount || shown.auction.leader === null) {
    const { auction } = shown;
    show({ ...auction, price: placed.amount, leader: placed.bidder, bids: auction.bids + 1 });
  }
  const price = shown.card.querySelector('.price');
  price.classList.remove('changed');
  requestAnimationFrame(() => price.classList.add('changed'));

  const line = document.createElement('li');
  const time = new Date(placed.at).toLocaleTimeString();
  line.textContent = `${time}  ${placed.bidder} bids ${money.format(placed.amount)} ` +
    `for ${shown.auction.title} (told by replica ${replica})`;
  const ticker = element('ticker');
  ticker.querySelector('.quiet')?.remove();
  ticker.prepend(line);
  while (ticker.children.length > TICKER_LINES_MAX) ticker.lastElementChild.remove();
}

function connect() {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}/live?hello=1`);
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'hello') element('live').textContent = `replica ${message.replica}`;
    if (message.type === 'bid') announce(message);
  });
  socket.addEventListener('close', ({ code }) => {
    element('live').textContent = `closed (${code}), connecting again`;
    setTimeout(() => { connect(); reload(); }, RECONNECT_MS);
  });
}

element('again').addEventListener('click', reload);
reload().then(connect);
