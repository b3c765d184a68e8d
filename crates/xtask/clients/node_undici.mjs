// undici, which is Node's own HTTP client: WebSocket, fetch, pipelining, and its EventSource.

import { Arrivals, base, check, expect, require, run, same, webSocketUrl, within } from './checks.mjs';
import { once } from 'node:events';

const { Client, EventSource, WebSocket, fetch } = require('undici');

async function client(path = '/echo') {
  const socket = new WebSocket(webSocketUrl(path));
  socket.binaryType = 'arraybuffer';
  const arrivals = new Arrivals();
  socket.addEventListener('message', ({ data }) => arrivals.push(data));
  const closed = once(socket, 'close');
  await within(10_000, once(socket, 'open'), 'the opening');
  return { socket, next: () => arrivals.next('a message'), closed };
}

check('WebSocket: text and binary come back', async () => {
  const { socket, next, closed } = await client();
  for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
    socket.send('y'.repeat(size));
    expect(await next() === 'y'.repeat(size), `the echo of ${size} characters differs`);
    const data = Uint8Array.from({ length: size }, (_, at) => at * 31);
    socket.send(data);
    expect(Buffer.from(data.buffer).equals(Buffer.from(await next())), `the echo of ${size} bytes differs`);
  }
  socket.send('grüße 😀');
  same(await next(), 'grüße 😀', 'the echo');
  socket.close(3456, 'done');
  const [{ code, wasClean }] = await within(10_000, closed, 'the close');
  same([code, wasClean], [3456, true], 'how it closed');
});

check('WebSocket: the server\'s close is clean', async () => {
  const { socket, closed } = await client('/chat');
  socket.send(new Uint8Array(3));
  const [{ code, reason, wasClean }] = await within(10_000, closed, 'the close');
  same([code, reason, wasClean], [1003, 'text only', true], 'how it closed');
});

check('fetch: the page, a path that is none, and a method that is not allowed', async () => {
  for (const [path, method, status] of [['/', 'GET', 200], ['/healthz', 'GET', 200], ['/nothing', 'GET', 404], ['/', 'POST', 405], ['/', 'HEAD', 200]]) {
    const response = await fetch(base + path, { method, body: method === 'POST' ? 'x'.repeat(1000) : undefined });
    same(response.status, status, `the status of ${method} ${path}`);
    await response.arrayBuffer();
  }
});

check('fifty requests, ten in flight on one connection', async () => {
  const client = new Client(base, { pipelining: 10 });
  const answers = await Promise.all(Array.from({ length: 50 }, async (_, at) => {
    const { statusCode, body } = await client.request({ path: at % 2 ? '/healthz' : `/nothing/${at}`, method: 'GET' });
    return [statusCode, await body.text()];
  }));
  answers.forEach(([status, text], at) => {
    same(status, at % 2 ? 200 : 404, 'the status');
    if (at % 2) same(text, 'ok\n', 'the body');
  });
  await client.close();
});

check('EventSource: the clock ticks, its ids are consecutive seconds', async () => {
  const source = new EventSource(`${base}/clock`);
  const arrivals = new Arrivals();
  source.addEventListener('message', event => arrivals.push(event));
  let last;
  for (let count = 0; count < 3; count++) {
    const { lastEventId, data } = await arrivals.next('a tick');
    const id = Number(lastEventId);
    expect(last === undefined || id === last + 1, `${id} follows ${last}`);
    same(Date.parse(data) / 1000, id, 'the data');
    last = id;
  }
  source.close();
});

await run();
