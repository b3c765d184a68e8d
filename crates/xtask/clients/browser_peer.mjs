// Chromium against our server: the conversations of node_peers.mjs, held inside of a page. Like every page it sends no ping, no fragments, and
// no close code from 1001 to 2999.

import { base, check, require, run, same, webSocketUrl, within } from './checks.mjs';

const { chromium } = require('playwright-core');

const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 65537, 1 << 20, 64 << 20];
const CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const REASONS = ['', 'done', 'grüße 😀', 'r'.repeat(123)];
const partings = CODES.map((code, at) => [code, REASONS[at % REASONS.length]]);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic'] });
const page = await browser.newPage();
await page.goto(`${base}/a-page-of-the-same-origin`);

/** Runs in the page: opens a WebSocket, sends a message or one of a size, closes if it is asked to, and tells how it ended. */
function visit({ url, protocols = [], message, size, parting }) {
  return new Promise(resolve => {
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => {
      if (size) socket.send('x'.repeat(size));
      if (message) socket.send(message);
      if (parting) socket.close(...parting);
    };
    socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean, protocol: socket.protocol });
  });
}

/** Runs in the page: resolves to the sizes whose echoes were the same. */
async function echoes({ url, sizes }) {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const next = () => new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => resolve(data);
    socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
  });
  await new Promise(resolve => { socket.onopen = resolve; });
  const right = [];
  for (const size of sizes) {
    const text = 'y'.repeat(size), bytes = Uint8Array.from({ length: size }, (_, at) => at * 31);
    socket.send(text);
    const sameText = await next() === text;
    socket.send(bytes);
    const answer = new Uint8Array(await next());
    if (sameText && answer.length === size && answer.every((byte, at) => byte === bytes[at])) right.push(size);
  }
  socket.close();
  return right;
}

const visited = (path, options) => within(20_000, page.evaluate(visit, { url: webSocketUrl(path), ...options }), 'the close');

check('Chromium: text and binary of 0 B to 64 MiB come back', async () => {
  same(await page.evaluate(echoes, { url: webSocketUrl('/echo'), sizes: SIZES }), SIZES, 'the sizes whose echoes are the same');
});

check('Chromium: every close code that a page may send comes back', async () => {
  const sendable = partings.filter(([code]) => code === 1000 || code >= 3000);
  for (const [code, reason] of sendable) {
    const ended = await visited('/echo', { parting: [code, reason] });
    same([ended.code, ended.wasClean], [code, true], 'the code that comes back, and whether it closed cleanly');
  }
  return `${sendable.length} codes`;
});

check('Chromium: every close code of ours arrives with its reason', async () => {
  for (const [code, reason] of partings) {
    const ended = await visited('/close', { message: `${code} ${reason}` });
    same([ended.code, ended.reason, ended.wasClean], [code, reason, true], 'the code, the reason, and whether it closed cleanly');
  }
  return `${partings.length} codes`;
});

check('Chromium: the first subprotocol that we have is agreed on', async () => {
  for (const [protocols, agreed] of [[['echo'], 'echo'], [['other', 'mirror', 'echo'], 'mirror'], [[], '']]) {
    same((await visited('/echo', { protocols, parting: [1000] })).protocol, agreed, `the subprotocol for ${protocols}`);
  }
});

check('Chromium: 64 MiB and one byte is 1009', async () => {
  same((await visited('/echo', { size: (64 << 20) + 1 })).code, 1009, 'the close code');
});

await run();
