// examples/nextjs/app/not-found.js: for addresses that lead nowhere.
import Link from 'next/link';

export const metadata = { title: 'Not found' };

export default function NotFound() {
  return (
    <>
      <h1>Nothing here</h1>
      <p>It may have been sold. <Link href="/">See what is for sale</Link></p>
    </>
  );
}
