// examples/nextjs/app/layout.js: what is around every page: the name, and who is signed in.
import Link from 'next/link';
import { currentUser } from '../lib/session';
import { logout } from './login/actions';
import './style.css';

export const metadata = {
  title: { default: 'Auction house', template: '%s · Auction house' },
  description: 'A small auction house in Next.js, behind Spillway',
};

export default async function Layout({ children }) {
  const user = await currentUser();
  return (
    <html lang="en">
      <body>
        <header>
          <Link href="/" className="name">Auction house</Link>
          <nav>
            {user ? (
              <>
                <Link href="/account">{user}</Link>
                <form action={logout}><button>Sign out</button></form>
              </>
            ) : <Link href="/login">Sign in</Link>}
          </nav>
        </header>
        <main>{children}</main>
      </body>
    </html>
  );
}
