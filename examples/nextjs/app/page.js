// examples/nextjs/app/page.js: all that is for sale.
import Link from 'next/link';
import { findItems } from '../lib/house';

export const dynamic = 'force-dynamic';

export default async function Home() {
  const items = await findItems();
  return (
    <>
      <h1>For sale</h1>
      <ul className="items">
        {items.map((item) => (
          <li key={item.id}>
            <Link href={`/items/${item.id}`}>
              <div className="art" style={{ '--hue': item.hue }} />
              <h2>{item.title} <small>{item.year}</small></h2>
              <p>{item.about}</p>
              <p className="price">{item.price} <small>{bidsInWords(item.bids.length)}</small></p>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}

function bidsInWords(count) {
  return count === 0 ? 'no bid yet' : count === 1 ? 'one bid' : `${count} bids`;
}
