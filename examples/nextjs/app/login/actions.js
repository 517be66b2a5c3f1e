// examples/nextjs/app/login/actions.js: signing in and out, called by forms, with scripts or without.
'use server';

import { redirect } from 'next/navigation';
import { endSession, startSession } from '../../lib/session';
import { isPassword } from '../../lib/users';

export async function login(form) {
  const name = String(form.get('name'));
  if (!await isPassword(name, String(form.get('password')))) redirect('/login?refused=1');
  await startSession(name);
  redirect('/account');
}

export async function logout() {
  await endSession();
  redirect('/');
}
