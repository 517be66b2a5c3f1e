// examples/nextjs/app/login/page.js: the form to sign in with.
import { login } from './actions';

export const metadata = { title: 'Sign in' };

export default async function LoginPage({ searchParams }) {
  const { refused } = await searchParams;
  return (
    <form action={login} className="login">
      <h1>Sign in</h1>
      <label>Name <input name="name" required autoComplete="username" /></label>
      <label>
        Password
        <input name="password" type="password" required autoComplete="current-password" />
      </label>
      <button>Sign in</button>
      <p className="refusal" role="status">{refused && 'That is not the password.'}</p>
      <p><small>Try demo with spillway, or guest with weir.</small></p>
    </form>
  );
}
