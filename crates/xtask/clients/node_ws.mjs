// Node `ws`: echo, fragmentation, pings, closing. It offers permessage-deflate, as most clients do.

import { Arrivals, check, expect, require, run, same, webSocketUrl, within } from './checks.mjs';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';

const WebSocket = require('ws');
const LARGEST = 1 << 20;

async function client(path = '/echo', options = {}) {
  const socket = new WebSocket(webSocketUrl(path), { handshakeTimeout: 10_000, ...options });
  const arrivals = new Arrivals();
  socket.on('message', (data, isBinary) => arrivals.push(isBinary ? data : data.toString()));
  socket.on('pong', data => arrivals.push({ pong: data.toString() }));
  await once(socket, 'open');
  return { socket, next: () => arrivals.next('a message'), closed: once(socket, 'close') };
}

async function leave({ socket, closed }, code = 1000, reason = '') {
  socket.close(code, reason);
  const [seen] = await within(10_000, closed, 'the close');
  same(seen, code, 'the close code');
}

check('text and binary of 0 B to 1 MiB come back', async () => {
  const one = await client();
  for (const size of [0, 1, 125, 126, 127, 65535, 65536, LARGEST - 1, LARGEST]) {
    one.socket.send('x'.repeat(size));
    expect(await one.next() === 'x'.repeat(size), `the echo of ${size} characters differs`);
    const data = randomBytes(size);
    one.socket.send(data);
    expect(data.equals(await one.next()), `the echo of ${size} bytes differs`);
  }
  await leave(one);
});

check('a message in fragments comes back in one, and a ping between is answered first', async () => {
  const one = await client();
  one.socket.send('Grü', { fin: false });
  one.socket.ping('between');
  one.socket.send('ße ', { fin: false });
  one.socket.send('', { fin: false });
  one.socket.send('😀', { fin: true });
  same(await one.next(), { pong: 'between' }, 'what came first');
  same(await one.next(), 'Grüße 😀', 'the echo');
  const parts = Array.from({ length: 1000 }, () => randomBytes(777));
  parts.forEach((part, at) => one.socket.send(part, { binary: true, fin: at === parts.length - 1 }));
  expect(Buffer.concat(parts).equals(await one.next()), 'the echo of a thousand parts differs');
  await leave(one);
});

check('a close comes back with its code', async () => {
  for (const code of [1000, 1001, 1013, 3000, 4999]) await leave(await client(), code, 'bye');
});

check('an end without a code is an end', async () => {
  const { socket, closed } = await client();
  socket.close();
  const [code] = await within(10_000, closed, 'the close');
  expect(code === 1005 || code === 1000, `the close code is ${code}`);
});

check('1 MiB and one byte is 1009', async () => {
  const { socket, closed } = await client();
  socket.send(randomBytes(LARGEST + 1));
  const [code] = await within(10_000, closed, 'the close');
  same(code, 1009, 'the close code');
});

check('an extension that was offered is not used unless agreed on', async () => {
  const one = await client('/echo', { perMessageDeflate: { threshold: 0 } });
  const text = 'again and '.repeat(1000);
  one.socket.send(text, { compress: true });
  expect(await one.next() === text, 'the echo differs');
  await leave(one);
});

check('a foreign Origin is 403, our own is not', async () => {
  const socket = new WebSocket(webSocketUrl('/echo'), { origin: 'https://elsewhere.example' });
  const [, response] = await within(10_000, once(socket, 'unexpected-response'), 'the refusal');
  same(response.statusCode, 403, 'the status');
  response.destroy();
  await leave(await client('/echo', { origin: new URL(webSocketUrl('/')).origin.replace('ws:', 'http:') }));
});

check('chat: five clients hear each other in one order', async () => {
  const guests = [];
  for (let at = 0; at < 5; at++) {
    const guest = await client('/chat');
    guest.socket.send(`guest ${at}`);
    guests.push(guest);
    for (const each of guests) same(await each.next(), `guest ${at} came in`, 'the line');
  }
  for (let turn = 0; turn < 8; turn++) guests.forEach((guest, at) => guest.socket.send(`${at}/${turn}`));
  const heard = [];
  for (const guest of guests) {
    const lines = [];
    for (let at = 0; at < 40; at++) lines.push(await guest.next());
    heard.push(lines);
  }
  for (const lines of heard) same(lines, heard[0], 'the order of the lines');
  same(new Set(heard[0]).size, 40, 'how many lines were heard');
  for (const guest of guests) guest.socket.terminate();
});

await run();
