// One round of guests in Node: `ws` on /echo and /chat with compression, undici's fetch and EventSource; half of all just vanish.

import { base, check, expect, require, run, same, webSocketUrl, within } from './checks.mjs';
import { once } from 'node:events';

const { WebSocket } = require('ws');
const { EventSource, fetch } = require('undici');

const until = Date.now() + 1000 * Number(process.argv[3]);

/** So many guests side by side, each again and again until the time is up. */
async function allTheTime(many, guest) {
  let visits = 0;
  await Promise.all(Array.from({ length: many }, async () => {
    for (; Date.now() < until; visits++) await guest();
  }));
  return `${guest.name} ${visits}`;
}

function leave(socket) {
  const closed = once(socket, 'close');
  if (Math.random() < 0.5) socket.terminate(); else socket.close(1000);
  return within(10_000, closed, 'the close');
}

async function echo() {
  const socket = new WebSocket(webSocketUrl('/echo'), { perMessageDeflate: { threshold: 0 } });
  await within(10_000, once(socket, 'open'), 'the opening');
  for (let count = 0; count < 20; count++) {
    const data = Buffer.alloc(Math.floor(2 ** (17 * Math.random())), `${Math.random()} `);
    const answer = once(socket, 'message');
    socket.send(data);
    const [message] = await within(10_000, answer, 'the echo');
    expect(data.equals(message), `the echo of ${data.length} bytes differs`);
  }
  await leave(socket);
}

async function chat() {
  const socket = new WebSocket(webSocketUrl('/chat'));
  await within(10_000, once(socket, 'open'), 'the opening');
  const heard = once(socket, 'message');
  socket.send('guest');
  await within(10_000, heard, 'a line');
  await leave(socket);
}

async function pages() {
  for (const [path, status] of [['/', 200], ['/healthz', 200], ['/nothing', 404]]) {
    const response = await fetch(base + path);
    same(response.status, status, `the status of ${path}`);
    await response.arrayBuffer();
  }
}

async function tokens() {
  const source = new EventSource(`${base}/tokens?text=one+two+three`);
  const words = [];
  source.addEventListener('token', ({ data }) => words.push(data));
  await within(10_000, new Promise(resolve => source.addEventListener('done', resolve)), 'the end of the text');
  source.close();
  same(words.join(''), 'one two three', 'the text');
}

check('everybody is served as usual', async () => (await Promise.all([
  allTheTime(8, echo), allTheTime(4, chat), allTheTime(2, pages), allTheTime(4, tokens),
])).join(', '));

await run();
