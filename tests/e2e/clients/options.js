// tests/e2e/clients/options.js: what the command-line clients share: bounded options, results.
'use strict';

const path = require('node:path');
const { parseArgs } = require('node:util');
const { createRequire } = require('node:module');

const quickstart = path.join(__dirname, '..', '..', '..', 'examples', 'quickstart', 'package.json');

// require() as the quickstart's application sees it: its `ws`, its files.
const requireFromQuickstart = createRequire(quickstart);

// spec: name -> { otherwise, help } for text (`flag: true` for a switch), and { min, max } for a
// whole number. One positional argument: the URL. Leaves with 2 and the usage if it does not fit.
function readOptions(purpose, spec) {
  const options = { help: { type: 'boolean' } };
  for (const [name, { flag }] of Object.entries(spec)) {
    options[name] = { type: flag ? 'boolean' : 'string' };
  }
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (values.help) {
      console.log(usage(purpose, spec));
      process.exit(0);
    }
    if (positionals.length !== 1) throw new Error('exactly one URL is needed');
    const read = { url: new URL(positionals[0]).href };
    for (const [name, field] of Object.entries(spec)) {
      read[name] = valueOf(name, field, values[name]);
    }
    return read;
  } catch (error) {
    console.error(`${error.message}\n\n${usage(purpose, spec)}`);
    process.exit(2);
  }
}

function valueOf(name, { otherwise, min, max, flag }, text) {
  if (flag) return text === true;
  if (text === undefined) return otherwise;
  if (min === undefined) return text;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`--${name} must be a whole number from ${min} to ${max}, not '${text}'`);
}

function usage(purpose, spec) {
  const lines = Object.entries(spec).map(([name, { otherwise, min, max, help }]) => {
    const range = min === undefined ? '' : ` (${min}-${max}, ${otherwise} if not given)`;
    return `  --${name.padEnd(14)} ${help}${range}`;
  });
  const program = path.basename(process.argv[1]);
  return [`${program}: ${purpose}`, `usage: node ${program} [options] URL`, ...lines].join('\n');
}

function increment(counts, key) {
  counts[key] = (counts[key] ?? 0) + 1;
}

// Milliseconds, rounded to microseconds; null where nothing was measured.
function percentiles(samples) {
  const sorted = Float64Array.from(samples).sort();
  const at = (share) => {
    if (sorted.length === 0) return null;
    const sample = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return Math.round(sample * 1e3) / 1e3;
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

// TERM or INT ends a run early; its result is printed all the same.
function onStop(stop) {
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

module.exports = { requireFromQuickstart, readOptions, increment, percentiles, onStop };
