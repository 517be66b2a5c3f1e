// examples/nextjs/setup.js: makes what the plan names and nobody may publish: `npm run setup`.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';

process.umask(0o077);
fs.mkdirSync('secrets', { recursive: true });

// Signs the sessions.
if (!fs.existsSync('secrets/session')) {
  fs.writeFileSync('secrets/session', `${randomBytes(32).toString('base64url')}\n`);
}

// A certificate signed by itself. A site with a name takes the files of its ACME client instead.
if (!fs.existsSync('secrets/localhost.pem')) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
    '-nodes', '-days', '90', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout', 'secrets/localhost.key', '-out', 'secrets/localhost.pem'], { stdio: 'pipe' });
}
