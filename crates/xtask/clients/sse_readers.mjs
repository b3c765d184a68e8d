// Event streams that we write, read by others: npm `eventsource-parser`, npm `eventsource`, undici's EventSource and Chromium's. What
// goes in at one end must come out at the other, whatever it is, however it is cut. Then all of them read docs/vectors/streams.json:
// what our own parser is tested with is what others make of it, too.

import { base, check, expect, require, run, same, within } from './checks.mjs';
import { Table } from './differences.mjs';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { createParser } = require('eventsource-parser');
const npm = require('eventsource').EventSource;
const undici = require('undici').EventSource;
const { chromium } = require('playwright-core');

const table = new Table('Event streams that others read', 'httpx-sse');

// What is sent, and what must come of it.

const read = path => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const cases = read('streams.json');
cases.push({ case: 'long lines', events: [{ data: 'x'.repeat(1 << 20) }, { data: `${'ü'.repeat(30_000)}\n`.repeat(10) }, { name: 'n'.repeat(50_000), data: 'a' }] });
cases.push({ case: 'many lines', events: [{ data: '\n'.repeat(20_000) }, { data: 'a\r\n'.repeat(20_000) }] });
cases.push({ case: 'letters by chance', events: Array.from({ length: 300 }, (_, seed) => ({ data: anything(seed) })) });

/** Text of the letters that mean something somewhere, the same for the same seed. */
function anything(seed) {
  const letters = ['\r', '\n', '\r\n', '\0', '\ufeff', ' ', ':', 'a', 'ü', '😀', 'data', 'id: 7', '\u2028', '\t'];
  let state = seed + 1, text = '';
  for (let length = seed % 12; length >= 0; length--) {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    text += letters[(state >>> 8) % letters.length];
  }
  return text;
}

/** WHATWG HTML §9.2.6: what is dispatched for these events. */
function dispatched(events) {
  let id = '';
  return events.flatMap(event => {
    id = event.id ?? id;
    return event.data === undefined ? [] : [{ name: event.name || 'message', id, data: event.data.replace(/\r\n?/g, '\n') }];
  });
}

/** Leaves a case at our server; returns where its stream is. */
async function leave(at) {
  const url = `${base}/streams/${at}`;
  const { status } = await fetch(url, { method: 'POST', body: JSON.stringify(cases[at].events) });
  same(status, 204, 'the status');
  return url;
}

/** Fails unless these events were read, or the table says how the first that was not is read. */
function settle(name, seen, wanted) {
  const text = event => JSON.stringify(event && [event.name, event.id, event.data]);
  const at = wanted.findIndex((event, at) => text(event) !== text(seen[at]));
  const first = at < 0 ? wanted.length : at;
  const verdict = first < seen.length ? `event ${first + 1} is ${text(seen[first])}` : `event ${first + 1} is missing`;
  return table.settle(name, at < 0 && seen.length === wanted.length, verdict);
}

const bytesOf = async url => Buffer.from(await (await fetch(url)).arrayBuffer());

// A relay that writes what it is given as it is, or a byte a packet.

const bodies = [];
const relay = createServer(async (request, response) => {
  const [, at, pace] = request.url.split('/');
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Access-Control-Allow-Origin': '*' });
  response.socket.setNoDelay();
  const step = pace === 'dripping' ? 1 : bodies[at].length || 1;
  for (let from = 0; from < bodies[at].length; from += step) {
    response.write(bodies[at].subarray(from, from + step));
    await new Promise(setImmediate);
  }
  response.end();
});
await once(relay.listen(0, '127.0.0.1'), 'listening');
const relayed = (body, pace) => `http://127.0.0.1:${relay.address().port}/${bodies.push(body) - 1}/${pace}`;

// The readers: each takes a URL and the names to listen for, and resolves to the events once the stream has ended.

/** Runs in a browser as well: it names nothing from outside. */
function listen({ url, names, EventSource = globalThis.EventSource }) {
  return new Promise(resolve => {
    const source = new EventSource(url);
    const events = [];
    for (const name of names) source.addEventListener(name, ({ type, lastEventId, data }) => events.push({ name: type, id: lastEventId, data }));
    source.onerror = () => {
      source.close();
      resolve(events);
    };
  });
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic'] });
const page = await browser.newPage();
await page.goto(`${base}/a-page-of-the-same-origin`);

const sources = {
  eventsource: (url, names) => listen({ url, names, EventSource: npm }),
  undici: (url, names) => listen({ url, names, EventSource: undici }),
  Chromium: (url, names) => page.evaluate(listen, { url, names }),
};

/** What `eventsource-parser` says of bytes that come in these pieces; it leaves the last id to its caller. */
function parsed(pieces) {
  const events = [], decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let last = '';
  const parser = createParser({ onEvent: ({ event, id, data }) => events.push({ name: event || 'message', id: last = id ?? last, data }) });
  for (const piece of pieces) parser.feed(decoder.decode(piece, { stream: true }));
  return events;
}

const each = bytes => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
const named = events => [...new Set(['message', ...events.map(event => event.name)])];

for (const [at, { case: name, events }] of cases.entries()) {
  const wanted = dispatched(events);
  const small = JSON.stringify(events).length < 4000;
  check(`eventsource-parser: ${name}, whole${small ? ', byte by byte, at every split' : ' and byte by byte'}`, async () => {
    const bytes = await bytesOf(await leave(at));
    const whole = parsed([bytes]);
    same(parsed(each(bytes)), whole, 'what was read byte by byte');
    for (let split = 1; small && split < bytes.length; split++) same(parsed([bytes.subarray(0, split), bytes.subarray(split)]), whole, `what was read when cut at ${split}`);
    return settle(`eventsource-parser: ${name}`, whole, wanted);
  });
  for (const [reader, hear] of Object.entries(sources)) {
    check(`${reader}: ${name}${small ? ', from our server and byte by byte' : ''}`, async () => {
      const url = await leave(at);
      const whole = await within(20_000, hear(url, named(wanted)), 'the end of the stream');
      if (small) same(await within(20_000, hear(relayed(await bytesOf(url), 'dripping'), named(wanted)), 'the end of the stream'), whole, 'what was read byte by byte');
      return settle(`${reader}: ${name}`, whole, wanted);
    });
  }
}

check('an event that cannot be is refused, not repaired', async () => {
  const forged = [{ name: 'a\nb' }, { name: 'a\rb' }, { name: 'a\0b' }, { id: 'a\nb' }, { id: 'a\0' }, { id: ' a' }, { id: 'a ' }, { id: 'a\tb' }, { id: 'x'.repeat(257) }];
  for (const event of forged) {
    const { status } = await fetch(`${base}/streams/forged`, { method: 'POST', body: JSON.stringify([{ ...event, data: 'a' }]) });
    same(status, 400, `the status for ${JSON.stringify(event)}`);
  }
  same((await fetch(`${base}/streams/forged`)).status, 404, 'the status of the stream');
});

// The vectors, one response each: coming back is not their readers' business.

const { vectors } = read('../../../docs/vectors/streams.json');
const single = vectors.filter(({ streams }) => streams.length === 1);
expect(single.length > 70, `only ${single.length} vectors`);
for (const [reader, hear] of Object.entries({ 'eventsource-parser': null, ...sources })) {
  for (const { id, streams: [body], events } of single) {
    check(`${reader}: ${id}`, async () => {
      const bytes = body.hex === undefined ? Buffer.from(body.text) : Buffer.from(body.hex, 'hex');
      const seen = hear ? await within(10_000, hear(relayed(bytes, 'whole'), named(events)), 'the end of the stream') : parsed([bytes]);
      return settle(`${reader}: ${id}`, seen, events);
    });
  }
}

check('every row of docs/conformance.md is needed', async () => table.nothingStale());

await run();
