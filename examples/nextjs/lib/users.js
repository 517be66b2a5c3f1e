// examples/nextjs/lib/users.js: who may sign in. A database and a form to register go here one day.
import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(scrypt);
const PASSWORD_MAX = 256;

// Made with: crypto.scryptSync(password, salt, 32).toString('base64url')
const users = new Map(Object.entries({
  demo: { salt: 'Xxq2vcVyfh389B1k', hash: 'cLlXImF_zWVJJVotLfQ_x1RG9Qax35X-Vwttw6eqA6c' },
  guest: { salt: 'WbX7vNmH-dnXAsyH', hash: 'KBdRdp_78gAk-etGIYMUquowig53SS6Dy8n5Z4oJaJc' },
}));
const nobody = { salt: 'nobody', hash: Buffer.alloc(32).toString('base64url') };

// Takes as long for a name that does not exist.
export async function isPassword(name, password) {
  if (password.length > PASSWORD_MAX) return false;
  const { salt, hash } = users.get(name) ?? nobody;
  const found = await derive(password, salt, 32);
  return timingSafeEqual(found, Buffer.from(hash, 'base64url')) && users.has(name);
}
