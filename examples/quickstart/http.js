// examples/quickstart/http.js: reading requests and answering them in JSON, within limits.
'use strict';

const JSON_BYTES_MAX = 16 * 1024;

// Thrown by a handler for an answer other than 2xx; `more` is merged into its JSON body.
class HttpError extends Error {
  constructor(status, message, more = {}, headers = {}) {
    super(message);
    this.status = status;
    this.more = more;
    this.headers = headers;
  }
}

function sendJson(response, status, value, headers = {}) {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(body);
}

async function readJson(request) {
  const chunks = [];
  let length = 0;
  // Left early, the iterator must not destroy the request: its connection still carries the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > JSON_BYTES_MAX) {
      throw new HttpError(413, `a body may have ${JSON_BYTES_MAX} bytes`, {},
        { connection: 'close' });
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpError(400, 'the body is not JSON');
  }
}

// A whole number from the query, within its range.
function integer(query, name, { otherwise, min, max }) {
  const text = query.get(name);
  if (text === null) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new HttpError(400, `${name} must be a whole number from ${min} to ${max}`);
}

module.exports = { HttpError, sendJson, readJson, integer };
