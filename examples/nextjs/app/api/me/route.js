// examples/nextjs/app/api/me/route.js: who asks, as Spillway says: the plan has `auth: jwt` here.
export async function GET(request) {
  return Response.json({ user: request.headers.get('x-user') },
    { headers: { 'cache-control': 'no-store' } });
}
