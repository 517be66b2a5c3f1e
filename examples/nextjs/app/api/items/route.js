// examples/nextjs/app/api/items/route.js: all that is for sale, as JSON.
import { findItems, shown } from '../../../lib/house';

export const dynamic = 'force-dynamic';

export async function GET() {
  const items = await findItems();
  return Response.json(items.map(shown), { headers: { 'cache-control': 'no-cache' } });
}
