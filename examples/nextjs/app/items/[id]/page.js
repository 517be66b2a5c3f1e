// examples/nextjs/app/items/[id]/page.js: one item, written by the server, then kept live.
import { notFound } from 'next/navigation';
import { findItem, shown } from '../../../lib/house';
import { currentUser } from '../../../lib/session';
import Bidding from './bidding';

export async function generateMetadata({ params }) {
  const item = await findItem((await params).id);
  return { title: item?.title };
}

export default async function ItemPage({ params }) {
  const [item, user] = await Promise.all([findItem((await params).id), currentUser()]);
  if (!item) notFound();
  return (
    <article className="item">
      <div className="art" style={{ '--hue': item.hue }} />
      <div>
        <h1>{item.title} <small>{item.year}</small></h1>
        <p>{item.about}</p>
        <Bidding initial={shown(item)} user={user} />
      </div>
    </article>
  );
}
