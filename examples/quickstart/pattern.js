// examples/quickstart/pattern.js: the bytes of GET /large, known to whoever wants to check them.
'use strict';

// A prime, so that a lost or repeated block of any usual size shifts all that follows.
const PATTERN_BYTES = 65521;

// Byte i of any answer is pattern[i % PATTERN_BYTES]: printable, with a line end every 80 bytes.
const pattern = Buffer.alloc(PATTERN_BYTES);
for (let i = 0; i < PATTERN_BYTES; ++i) {
  pattern[i] = i % 80 === 79 ? 0x0a : 0x61 + ((i * i + (i >> 6)) % 26);
}

// Whether chunk (any Uint8Array) is what belongs at that offset of the answer.
function matchesPattern(chunk, offset) {
  for (let done = 0; done < chunk.length;) {
    const from = (offset + done) % PATTERN_BYTES;
    const length = Math.min(chunk.length - done, PATTERN_BYTES - from);
    if (pattern.compare(chunk, done, done + length, from, from + length) !== 0) return false;
    done += length;
  }
  return true;
}

module.exports = { pattern, PATTERN_BYTES, matchesPattern };
