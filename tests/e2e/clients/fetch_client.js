// tests/e2e/clients/fetch_client.js: concurrent fetches over kept connections, bodies verified.
'use strict';

const { performance } = require('node:perf_hooks');
const { requireFromQuickstart, readOptions, increment, percentiles, onStop } =
  require('./options');
const { pattern, PATTERN_BYTES, matchesPattern } = requireFromQuickstart('./pattern.js');

const TEXT_BYTES_MAX = 1024 * 1024; // Kept of a body for --contains.

const options = readOptions('fetches a URL many times and verifies what comes back', {
  count: { otherwise: 100, min: 1, max: 1_000_000, help: 'fetches' },
  concurrency: { otherwise: 10, min: 1, max: 10_000, help: 'of them at the same time' },
  duration: { otherwise: 3_600_000, min: 1, max: 3_600_000, help: 'ms after which none begins' },
  timeout: { otherwise: 30_000, min: 1, max: 3_600_000, help: 'ms for one fetch with its body' },
  pause: { otherwise: 0, min: 0, max: 60_000, help: 'ms between the fetches of one worker' },
  method: { otherwise: 'GET', help: 'request method, GET if not given' },
  body: { help: 'request body; {n} becomes the number of the fetch, from 1' },
  echo: { otherwise: 0, min: 0, max: 64 * 1024 ** 2,
    help: 'POST this many bytes and want them back; 0: do not' },
  status: { otherwise: 200, min: 100, max: 599, help: 'status that counts as clean' },
  contains: { help: 'text that a body with that status must contain' },
  large: { flag: true, help: 'the body must be that of the quickstart\'s /large' },
});

const echoBody = options.echo === 0 ? undefined
  : Buffer.alloc(options.echo, pattern.subarray(0, Math.min(options.echo, PATTERN_BYTES)));

function request(n) {
  const signal = AbortSignal.timeout(options.timeout);
  if (echoBody) return { method: 'POST', body: echoBody, signal };
  if (options.body === undefined) return { method: options.method, signal };
  const headers = { 'content-type': 'application/json' };
  return { method: options.method, headers, body: options.body.replaceAll('{n}', n), signal };
}

// Reads the body to its end. What is wrong with it, or null.
async function verify(response, run) {
  const isWanted = response.status === options.status;
  const wantsPattern = isWanted && (options.large || echoBody !== undefined);
  const texts = [];
  let length = 0;
  let problem = null;
  for await (const chunk of response.body ?? []) {
    if (wantsPattern && !matchesPattern(chunk, length)) problem = 'bytes differ';
    if (options.contains !== undefined && length < TEXT_BYTES_MAX) texts.push(chunk);
    length += chunk.length;
    run.bytes += chunk.length;
  }
  const expected = echoBody?.length ?? (options.large ? largeBytes() : undefined);
  if (wantsPattern && length !== expected) problem ??= `${length} of ${expected} bytes`;
  if (isWanted && options.contains !== undefined &&
      !Buffer.concat(texts).includes(options.contains)) problem ??= 'text is missing';
  return problem;
}

function largeBytes() {
  return Number(new URL(options.url).searchParams.get('bytes') ?? 1024 ** 2);
}

// Before: no response head came. Within: the body was cut, which is how a dead upstream must look.
async function fetchOne(n, run) {
  const started = performance.now();
  let phase = 'before_head';
  try {
    const response = await fetch(options.url, request(n));
    phase = 'in_body';
    increment(run.statuses, response.status);
    increment(run.replicas, response.headers.get('x-replica') ?? 'none');
    const problem = await verify(response, run);
    if (problem !== null) increment(run.mismatches, problem);
    else if (response.status === options.status) run.succeeded += 1;
    run.latencies.push(performance.now() - started);
  } catch (error) {
    increment(run.errors[phase], error.cause?.code ?? error.code ?? error.name);
  }
}

// Counts are taken before the first await, so no two workers take the same number.
async function work(run) {
  while (run.begun < options.count && !run.isStopped && performance.now() < run.ends) {
    run.begun += 1;
    await fetchOne(run.begun, run);
    if (options.pause > 0) await new Promise((done) => { setTimeout(done, options.pause); });
  }
}

async function main() {
  const started = performance.now();
  const run = { begun: 0, succeeded: 0, bytes: 0, statuses: {}, replicas: {}, mismatches: {},
    errors: { before_head: {}, in_body: {} }, latencies: [], isStopped: false,
    ends: started + options.duration };
  onStop(() => { run.isStopped = true; });
  await Promise.all(Array.from({ length: options.concurrency }, () => work(run)));

  const isClean = run.succeeded === run.begun;
  const elapsed = performance.now() - started;
  console.log(JSON.stringify({
    clean: isClean, requests: run.begun, succeeded: run.succeeded, statuses: run.statuses,
    errors: run.errors, mismatches: run.mismatches, replicas: run.replicas, bytes: run.bytes,
    fetch_ms: percentiles(run.latencies), duration_ms: Math.round(elapsed),
    per_second: Math.round(run.begun / (elapsed / 1000)),
  }));
  process.exitCode = isClean ? 0 : 1;
}

main();
