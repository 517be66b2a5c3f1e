// examples/nextjs/app/items/[id]/bidding.js: the price as it changes, and a bid, over a WebSocket.
'use client';

import Link from 'next/link';
import { useEffect, useRef, useState } from 'react';

const PAUSE_MS = 250;
const PAUSE_MS_MAX = 8000;

export default function Bidding({ initial, user }) {
  const [item, setItem] = useState(initial);
  const [refusal, setRefusal] = useState('');
  const [replica, setReplica] = useState(null);
  const socket = useRef(null);

  useEffect(() => {
    const open = () => connect(user ? '/live/bids' : '/live', initial.id);
    return keepOpen(open, socket, setReplica, (message) => {
      if (message.type === 'refused') return setRefusal(message.reason);
      setItem(message.item);
      setReplica(message.replica);
    });
  }, [initial.id, user]);

  function bid(form) {
    setRefusal('');
    socket.current?.send(JSON.stringify({ amount: Number(form.get('amount')) }));
  }

  return (
    <section className="bidding">
      <p className="price" key={item.price}>
        {item.price} <small>{item.count ? `bid by ${item.bids[0].user}` : 'to start with'}</small>
      </p>
      {user ? (
        <form action={bid}>
          <input name="amount" type="number" min="1" step="1" required aria-label="Your bid"
            key={item.price} defaultValue={item.count ? item.price + 10 : item.price} />
          <button disabled={!replica}>Bid</button>
        </form>
      ) : <p><Link href="/login">Sign in</Link> to bid.</p>}
      <p className="refusal" role="status">{refusal}</p>
      <ol>
        {item.bids.map((one) => <li key={one.id}>{one.user} <span>{one.amount}</span></li>)}
      </ol>
      <p className="state" data-live={replica !== null}>
        {replica ? `live, from ${replica}` : 'connecting …'}
      </p>
    </section>
  );
}

function connect(path, id) {
  const url = new URL(path, window.location.href.replace(/^http/, 'ws'));
  url.searchParams.set('item', id);
  return new WebSocket(url);
}

// Connects again when a connection ends, as it does when its replica is replaced. Returns what
// ends it for good.
function keepOpen(open, socket, setReplica, take) {
  let pause = PAUSE_MS;
  let timer;
  const start = () => {
    socket.current = open();
    socket.current.onmessage = (event) => {
      pause = PAUSE_MS;
      take(JSON.parse(event.data));
    };
    socket.current.onclose = () => {
      setReplica(null);
      timer = setTimeout(start, pause * (0.5 + Math.random()));
      pause = Math.min(2 * pause, PAUSE_MS_MAX);
    };
  };
  start();
  return () => {
    clearTimeout(timer);
    socket.current.onclose = null;
    socket.current.close();
  };
}
