// examples/quickstart/pages.js: the files of public/, read once and served from memory.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { createHash } = require('node:crypto');

const types = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

// URL path -> page. A path that is not in the map does not exist, so none can lead elsewhere.
function loadPages(folder) {
  const pages = new Map();
  for (const name of fs.readdirSync(folder)) {
    const type = types[path.extname(name)];
    if (!type) continue;
    const body = fs.readFileSync(path.join(folder, name));
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    pages.set(name === 'index.html' ? '/' : `/${name}`, { type, body, etag });
  }
  return pages;
}

function sendPage(page, request, response) {
  const headers = {
    etag: page.etag,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'self'; connect-src 'self' ws: wss:",
  };
  if (request.headers['if-none-match'] === page.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, {
    ...headers, 'content-type': page.type, 'content-length': page.body.length,
  });
  response.end(page.body);
}

module.exports = { loadPages, sendPage };
