// examples/quickstart/testing.js: starts real replicas for the tests, on free ports.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');

// Gone when the test's process ends.
function temporaryFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'quickstart-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// Resolves once the replica answers /ready.
async function startReplica(replica, dataDir, environment = {}) {
  const child = spawn(process.execPath, ['server.js'], {
    cwd: __dirname,
    env: { ...process.env, NODE_ENV: '', PORT: '0', SPILLWAY_REPLICA: replica, DATA_DIR: dataDir,
      ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  child.output = '';
  const base = await new Promise((resolve, reject) => {
    exited.then(({ code }) => reject(new Error(`left with ${code}: ${child.output}`)));
    child.stdout.on('data', (text) => {
      child.output += text;
      const found = /listens on (\S+)\n/.exec(child.output);
      if (found) resolve(found[1]);
    });
  });
  while ((await fetch(`${base}/ready`)).status !== 200);
  return { base, child, exited, stop: () => { child.kill('SIGTERM'); return exited; } };
}

module.exports = { temporaryFolder, startReplica };
