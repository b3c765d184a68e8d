// npm `eventsource`: the clock and the tokens, and the clock across a server that is killed and started again.

import { Arrivals, check, expect, require, run, same, start, within } from './checks.mjs';
import { setTimeout as pause } from 'node:timers/promises';

const { EventSource } = require('eventsource');

function listen(url) {
  const source = new EventSource(url);
  const ticks = new Arrivals();
  const interruptions = [];
  source.addEventListener('message', event => ticks.push({ id: Number(event.lastEventId), data: event.data }));
  source.addEventListener('gap', event => ticks.push({ gap: event.data }));
  source.addEventListener('error', event => interruptions.push(event.message ?? String(event.type)));
  return { source, interruptions, next: (bound = 10_000) => ticks.next('a tick', bound) };
}

check('the clock ticks, its ids are consecutive seconds', async () => {
  const server = await start('--listen', '127.0.0.1:0');
  const { source, next } = listen(`${server.http}/clock`);
  const first = await next();
  expect(Math.abs(first.id - Date.now() / 1000) < 3, `the id ${first.id} is not the time`);
  for (let at = 1; at < 4; at++) same((await next()).id, first.id + at, 'the id');
  source.close();
  await server.kill();
});

check('killed and started again: no second is missing, none comes twice', async () => {
  let server = await start('--listen', '127.0.0.1:0');
  const { http } = server;
  const { source, interruptions, next } = listen(`${http}/clock`);
  const seen = [await next(), await next()];
  await server.kill();
  const killed = Date.now() / 1000;
  await pause(2500);                                  // the break is what is tested here: seconds must pass that nobody sends
  server = await start('--listen', new URL(http).host);
  same(server.http, http, 'the address of the second server');
  while (seen.at(-1).id < killed + 6) seen.push(await next(15_000));
  same(seen.map(({ id, gap }) => gap ?? id), seen.map((_, at) => seen[0].id + at), 'the ids');
  for (const { id, data } of seen) same(Date.parse(data) / 1000, id, 'the data');
  expect(interruptions.length > 0, 'the client did not notice');
  source.close();
  await server.kill();
  return `${seen.length} seconds, ${interruptions.length} interruptions`;
});

check('tokens: word by word, then done; coming back to a finished text ends it', async () => {
  const server = await start('--listen', '127.0.0.1:0');
  const text = 'Dots and dashes,  and then silence.';
  const source = new EventSource(`${server.http}/tokens?text=${encodeURIComponent(text)}`);
  const words = [];
  source.addEventListener('token', event => words.push(event.data));
  await within(10_000, new Promise(resolve => source.addEventListener('done', resolve)), 'the end of the text');
  same(words.join(''), text, 'the text');
  same(words.length, 6, 'the number of tokens');
  // EventSource comes back by itself with the last id, and 204 tells it to stay away.
  await within(20_000, new Promise(resolve => source.addEventListener('error', () => source.readyState === EventSource.CLOSED && resolve())), 'the end of the source');
  same(words.join(''), text, 'the text, after it came back');
  await server.kill();
});

await run();
