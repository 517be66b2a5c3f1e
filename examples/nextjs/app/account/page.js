// examples/nextjs/app/account/page.js: the items that the user leads; only for who is signed in.
import Link from 'next/link';
import { redirect } from 'next/navigation';
import { findItems } from '../../lib/house';
import { currentUser } from '../../lib/session';

export const metadata = { title: 'Your bids' };

export default async function AccountPage() {
  const user = await currentUser();
  if (!user) redirect('/login');
  const leading = (await findItems()).filter((item) => item.bids[0]?.user === user);
  return (
    <>
      <h1>Welcome, {user}</h1>
      {leading.length === 0 && (
        <p>You lead nowhere yet. <Link href="/">See what is for sale</Link></p>
      )}
      <ul>
        {leading.map((item) => (
          <li key={item.id}>
            <Link href={`/items/${item.id}`}>{item.title}</Link>, with {item.price}
          </li>
        ))}
      </ul>
    </>
  );
}
