// examples/nextjs/lib/session.js: who is signed in: a signed token (JWT) in a cookie.
import { SignJWT, jwtVerify } from 'jose';
import { cookies } from 'next/headers';

const COOKIE = 'session';
const AUDIENCE = 'auction-house';
const SECONDS = 8 * 3600;

// The plan tells Spillway the same secret, cookie and audience: it checks tokens before requests
// come here, where a route says `auth: jwt`.
function secret() {
  const text = process.env.SESSION_SECRET ?? '';
  if (text.length < 32) throw new Error('SESSION_SECRET needs 32 characters: see spillway.yaml');
  return new TextEncoder().encode(text);
}

export async function startSession(user) {
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user).setAudience(AUDIENCE)
    .setIssuedAt().setExpirationTime(`${SECONDS}s`)
    .sign(secret());
  (await cookies()).set(COOKIE, token, {
    httpOnly: true, secure: true, sameSite: 'lax', path: '/', maxAge: SECONDS,
  });
}

export async function endSession() {
  (await cookies()).delete(COOKIE);
}

// A name, or null.
export async function currentUser() {
  const token = (await cookies()).get(COOKIE)?.value;
  if (!token) return null;
  try {
    const { payload } = await jwtVerify(token, secret(),
      { algorithms: ['HS256'], audience: AUDIENCE, requiredClaims: ['exp', 'sub'] });
    return payload.sub;
  } catch (error) {
    if (error.code?.startsWith('ERR_J')) return null; // Expired, or not one of ours.
    throw error;
  }
}
