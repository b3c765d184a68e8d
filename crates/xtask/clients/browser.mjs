// A real browser uses every panel of the demo page and looks at what it shows.
//
//   CHROMIUM=/usr/bin/chromium node browser.mjs http://127.0.0.1:8080
//
// playwright-core (and axe-core, if it is there) are looked up from the working directory, then along NODE_PATH.
// With SHOTS set, screenshots are left in that directory. One line per check; the exit code is 1 if one failed.

import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const { chromium } = require('playwright-core');

const base = process.argv[2];
const shots = process.env.SHOTS;
if (!base || !process.env.CHROMIUM) {
  console.error('usage: CHROMIUM=/path/to/chromium node browser.mjs BASE_URL');
  process.exit(2);
}
if (shots) mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

let failures = 0;
const complaints = new Set();

async function check(name, body) {
  try {
    const seen = await body();
    console.log(`ok    ${name}${seen === undefined ? '' : `: ${seen}`}`);
  } catch (error) {
    failures++;
    console.log(`FAIL  ${name}: ${String(error.message ?? error).split('\n').slice(0, 3).join(' | ')}`);
  }
}

function expect(truth, message) { if (!truth) throw new Error(message); }

function same(seen, wanted, what) { expect(seen === wanted, `${what} is ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`); }

/** A page of its own, whose every complaint is kept for the last check. */
async function open(options = {}, context = undefined) {
  const page = await (context ?? await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })).newPage();
  page.setDefaultTimeout(15_000);
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) complaints.add(`${message.type()}: ${message.text()}`); });
  page.on('pageerror', error => complaints.add(`exception: ${error.message}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', event =>
      console.error(`Content-Security-Policy: ${event.violatedDirective} refused ${event.blockedURI}`));
  });
  const response = await page.goto(base);
  return { page, response, ...tools(page) };
}

function tools(page) {
  const value = async id => Number(await page.locator(`#${id}`).getAttribute('data-value'));
  /** A number of the page's, once all that has been counted by now stands there: the page writes within 40 ms, in the order of its timers. */
  const counted = async id => { await page.evaluate(() => new Promise(done => setTimeout(done, 50))); return value(id); };
  const text = async id => (await page.locator(`#${id}`).textContent()).trim();
  const state = (panel, wanted) => page.waitForSelector(`#${panel}[data-state="${wanted}"]`, { state: 'attached' });
  /** Waits until `test`, called in the page with `input`, is true. */
  const until = (test, input) => page.waitForFunction(test, input, { polling: 50 });
  const atLeast = (id, number) => until(([id, number]) => Number(document.getElementById(id).dataset.value) >= number, [id, number]);
  const shot = async name => { if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true }); };
  return { value, counted, text, state, until, atLeast, shot };
}

const one = await open();

await check('the page is served whole', async () => {
  same(one.response.status(), 200, 'the status');
  same(await one.page.title(), 'Longwire', 'the title');
  const policy = one.response.headers()['content-security-policy'] ?? '';
  expect(policy.includes("default-src 'none'") && !policy.includes('unsafe'), `the policy is ${JSON.stringify(policy)}`);
  const styled = await one.page.evaluate(() => [...document.styleSheets].some(sheet => sheet.cssRules.length > 20));
  expect(styled, 'page.css did not arrive');
  const icon = await one.page.evaluate(async () => {
    const image = new Image();
    image.src = document.querySelector('link[rel=icon]').href;
    await image.decode();
    return image.naturalWidth;
  });
  expect(icon > 0, 'icon.svg is no picture');
});

await check('all connections open by themselves', async () => {
  for (const panel of ['echo', 'chat', 'clock']) await one.state(panel, 'open');
  same(await one.text('port'), new URL(base).host, 'the port that the header names');
});

await check('echo: a text comes back with its round trip', async () => {
  await one.page.fill('#echo-text', 'Grüße über den Draht ☎');
  await one.page.click('#echo-send');
  const row = one.page.locator('#echo-log li').first();
  same(await row.getAttribute('data-verdict'), 'same', 'the verdict');
  same(await row.locator('bdi').textContent(), 'Grüße über den Draht ☎', 'the text');
  const header = await row.locator('code').textContent();       // empty once an extension is agreed on
  expect(['81 1b', ''].includes(header), `the frame header is ${header}`);
  await one.atLeast('echo-received-messages', 1);
  same(await one.value('echo-sent-bytes'), 27, 'the bytes sent');
  same(await one.value('echo-received-bytes'), 27, 'the bytes received');
  const ms = Number(await row.getAttribute('data-ms'));
  expect(ms >= 0 && ms < 5000, `the round trip took ${ms} ms`);
  return `${ms.toFixed(1)} ms`;
});

await check('echo: binary, by the keyboard', async () => {
  await one.page.focus('#echo-kind-text');
  await one.page.keyboard.press('ArrowRight');
  await one.page.fill('#echo-text', 'wire');
  await one.page.press('#echo-text', 'Enter');
  await one.until(() => document.querySelectorAll('#echo-log li').length === 2);
  const row = one.page.locator('#echo-log li').first();
  same(await row.getAttribute('data-verdict'), 'same', 'the verdict');
  same(await row.locator('bdi').textContent(), '77 69 72 65', 'the bytes');
});

for (const [kind, count, size] of [['text', 1000, 125], ['binary', 1000, 1000], ['binary', 100, 65536]]) {
  await check(`echo: a burst of ${count} ${kind} messages of ${size} B is verified`, async () => {
    await one.page.check(`#echo-kind-${kind}`);
    await one.page.selectOption('#echo-count', String(count));
    await one.page.selectOption('#echo-size', String(size));
    const before = await one.value('echo-received-messages');
    await one.page.click('#echo-burst');
    await one.page.waitForSelector('#echo-burst-result[data-rate]', { timeout: 60_000 });
    const result = await one.page.locator('#echo-burst-result').evaluate(target => ({ ...target.dataset }));
    same(Number(result.verified), count, 'the number of verified echoes');
    same(Number(result.wrong), 0, 'the number of wrong echoes');
    await one.atLeast('echo-received-messages', before + count);
    return `${result.rate} messages/s`;
  });
}

await check('echo: a dropped connection comes back by itself', async () => {
  const before = await one.value('echo-reconnects') || 0;
  await one.page.click('#echo-drop');
  await one.state('echo', 'reconnecting');
  await one.shot('reconnecting');
  await one.state('echo', 'open');
  await one.atLeast('echo-reconnects', before + 1);
  await one.page.click('#echo-send');
  await one.until(() => document.querySelectorAll('#echo-log li').length === 3);
});

await check('chat: two pages talk to each other', async () => {
  const two = await open({}, one.page.context());
  await two.state('chat', 'open');
  const heard = (side, line) => side.until(line => [...document.querySelectorAll('#chat-log li')].some(row => row.textContent === line), line);
  for (const [side, name] of [[one, 'Ada'], [two, 'Łukasz']]) {
    await side.page.fill('#chat-name', name);
    await side.page.press('#chat-name', 'Enter');
    await heard(side, `${name} came in`);
    expect(await side.page.locator('#chat-text').evaluate(input => input === document.activeElement), 'the focus did not move on');
  }
  await heard(one, 'Łukasz came in');
  await one.page.fill('#chat-text', 'is <b>this</b> text?');
  await one.page.press('#chat-text', 'Enter');
  for (const side of [one, two]) await heard(side, 'Ada: is <b>this</b> text?');
  await two.page.fill('#chat-text', 'yes: text 🙂');
  await two.page.click('#chat-send');
  for (const side of [one, two]) await heard(side, 'Łukasz: yes: text 🙂');
  await two.page.click('#chat-leave');
  await heard(one, 'Łukasz left');
  await two.state('chat', 'open');
  await two.page.close();
});

await check('chat: the name is said again after a break', async () => {
  const entrances = () => one.page.locator('#chat-log li', { hasText: /^Ada came in$/ }).count();
  const before = await entrances();
  await one.page.click('#chat-drop');
  await one.state('chat', 'reconnecting');
  await one.until(before => [...document.querySelectorAll('#chat-log li')].filter(row => row.textContent === 'Ada came in').length > before, before);
});

await check('chat: what a busy room did not hear stands in its field again', async () => {
  /** Speaks into the room until it hears no more, and has the page say what stands in its field in that moment. */
  const flood = () => one.page.evaluate(async ({ count, lines, busy }) => {
    globalThis.crowd ??= await Promise.all(Array.from({ length: count }, (_, at) => new Promise(resolve => {
      const socket = new WebSocket(new URL('/chat', location.href.replace('http', 'ws')));
      socket.onopen = () => { socket.send(`guest ${at}`); };
      socket.onmessage = () => resolve(socket);
    })));
    const full = new Promise(resolve => {
      setTimeout(resolve, 3000);                              // for lines that were heard in two seconds
      for (const socket of globalThis.crowd) socket.onmessage = ({ data }) => { if (data.startsWith(busy)) resolve(); };
    });
    await new Promise(resolve => setTimeout(resolve, 1010 - Date.now() % 1000));       // a second that has just begun
    for (const socket of globalThis.crowd) for (let at = 0; at < lines; at++) socket.send(`line ${at}`);
    await full;
    document.getElementById('chat-form').requestSubmit();
  }, { count: 8, lines: 9, busy });
  const busy = 'The room is busy';
  let said;
  for (let attempt = 1; attempt <= 5 && !(await one.text('chat-note')).startsWith(busy); attempt++) {
    said = `can you hear me, ${attempt}?`;
    await one.page.fill('#chat-text', said);
    await flood();
    await one.until(([said, busy]) => document.getElementById('chat-note').textContent.startsWith(busy)
      || [...document.querySelectorAll('#chat-log li')].some(row => row.textContent.endsWith(said)), [said, busy]);
  }
  expect((await one.text('chat-note')).startsWith(busy), 'the page does not say that the room is busy');
  same(await one.page.inputValue('#chat-text'), said, 'the text that can be said again');
  await one.shot('busy');
  await one.page.evaluate(() => globalThis.crowd.forEach(socket => socket.close()));
  await one.page.waitForTimeout(1100);
  await one.page.press('#chat-text', 'Enter');
  await one.until(said => [...document.querySelectorAll('#chat-log li.mine')].some(row => row.textContent.endsWith(said)), said);
  same(await one.text('chat-note'), '', 'the note');
});

await check('chat: a line of more than 500 bytes is not sent', async () => {
  const before = await one.counted('chat-sent-messages'), long = 'é'.repeat(251);
  await one.page.fill('#chat-text', long);
  await one.page.press('#chat-text', 'Enter');
  expect((await one.text('chat-note')).includes('500 bytes'), 'the page does not say why');
  same(await one.counted('chat-sent-messages'), before, 'the number of messages sent');
  same(await one.page.inputValue('#chat-text'), long, 'the text that can be made shorter');
});

await check('chat: whoever says too much is told why, comes back, and can say the last line again', async () => {
  const before = await one.value('chat-reconnects');
  await one.page.evaluate(() => {
    for (let line = 1; line <= 25; line++) {                  // however the second is cut, in one of them are more than ten
      document.getElementById('chat-text').value = `line ${line}`;
      document.getElementById('chat-form').requestSubmit();
    }
  });
  await one.atLeast('chat-reconnects', before + 1);
  await one.state('chat', 'open');
  expect((await one.text('chat-note')).includes('10 lines a second'), 'the page does not say why');
  same(await one.page.inputValue('#chat-text'), 'line 25', 'the text that can be said again');
  await one.shot('hung-up');
  await one.page.waitForTimeout(1100);
  await one.page.press('#chat-text', 'Enter');
  await one.until(() => [...document.querySelectorAll('#chat-log li.mine')].some(row => row.textContent.endsWith('line 25')));
  same(await one.text('chat-note'), '', 'the note');
});

await check('chat: a name of 41 characters is not sent', async () => {
  await one.page.click('#chat-leave');
  await one.state('chat', 'open');
  const before = await one.counted('chat-sent-messages');
  await one.page.fill('#chat-name', 'x'.repeat(41));
  await one.page.click('#chat-enter');
  expect((await one.text('chat-note')).includes('1 to 40'), 'the page does not say why');
  same(await one.counted('chat-sent-messages'), before, 'the number of messages sent');
});

const ids = () => one.page.locator('#clock-log li[data-id]').evaluateAll(rows => rows.map(row => [Number(row.dataset.id), row.dataset.kind]));

await check('clock: one event a second, its id the Unix second', async () => {
  const first = await one.value('clock-id');
  await one.atLeast('clock-id', first + 2);
  const id = await one.value('clock-id');
  expect(Math.abs(id - Date.now() / 1000) < 5, `the id ${id} is not the time`);
  const [row] = await one.page.locator('#clock-log li[data-id] bdi').allTextContents();
  expect(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(row), `the data is ${row}`);
  const [[newest]] = await ids();
  expect(Math.abs(Date.parse(row) / 1000 - newest) <= 1, `the data ${row} is not the second ${newest}`);
});

await check('clock: what was missed arrives on resuming', async () => {
  await one.page.click('#clock-drop');
  await one.state('clock', 'dropped');
  const left = await one.value('clock-id'), rows = (await ids()).length;
  await one.page.waitForTimeout(3500);
  await one.shot('dropped');
  await one.page.click('#clock-drop');
  await one.state('clock', 'open');
  await one.atLeast('clock-id', left + 5);
  const all = await ids(), seen = all.slice(0, all.length - rows).reverse();
  seen.forEach(([id], at) => same(id, left + 1 + at, `second ${at + 1} after the break`));
  const caught = seen.filter(([, kind]) => kind === 'caught').length;
  expect(caught >= 3 && caught <= 5, `${caught} seconds were caught up`);
  expect(await one.value('clock-resumptions') >= 1, 'no resumption was counted');
  return `${caught} seconds`;
});

await check('clock: beyond a minute there is a gap', async () => {
  const before = await one.value('clock-caught');
  await one.page.click('#clock-back');
  await one.atLeast('clock-gaps', 1);
  await one.atLeast('clock-caught', before + 59);
  const missing = await one.value('clock-missing');
  expect(missing >= 29 && missing <= 32, `${missing} seconds are said to be missing`);
  const ruler = await one.page.locator('#clock-ruler i').evaluateAll(cells => cells.map(cell => cell.dataset.kind));
  same(ruler.length, 60, 'the number of cells');
  same(ruler.filter(kind => kind === 'none').length, 0, 'the number of seconds that are not there');
  return `${missing} seconds missing, the last 60 here`;
});

await check('tokens: the answer arrives word by word, to the end', async () => {
  const words = 'Dots and dashes, ☎ and then silence.';
  await one.page.fill('#tokens-text', words);
  await one.page.click('#tokens-start');
  await one.state('tokens', 'done');
  same(await one.page.locator('#tokens-answer').textContent(), words, 'the answer');
  const spans = await one.page.locator('#tokens-answer span').allTextContents();
  same(spans.length, 7, 'the number of tokens');
  expect((await one.text('tokens-detail')).includes('7 tokens, as many as'), await one.text('tokens-detail'));
  await one.page.waitForTimeout(4000);                        // a source left open would have asked again by now
  same(await one.page.locator('#tokens-answer').textContent(), words, 'the answer later on');
  same(await one.value('tokens-reconnects') || 0, 0, 'the number of reconnects');
  return `${await one.text('tokens-rate')} tokens/s`;
});

await check('tokens: a stream can be stopped', async () => {
  await one.page.fill('#tokens-text', 'word '.repeat(150));
  await one.page.click('#tokens-start');
  await one.until(() => document.querySelectorAll('#tokens-answer span').length > 3);
  await one.shot('used-light');
  await one.page.click('#tokens-stop');
  await one.state('tokens', 'stopped');
  const tokens = await one.page.locator('#tokens-answer span').count();
  expect(tokens < 150, 'it had ended by itself');
  await one.page.waitForTimeout(300);
  same(await one.page.locator('#tokens-answer span').count(), tokens, 'the number of tokens after the stop');
});

for (const [name, options] of [
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }],
  ['narrow', { viewport: { width: 320, height: 640 } }],
  ['tablet', { viewport: { width: 768, height: 1024 } }],
  ['wide', { viewport: { width: 1600, height: 1000 } }],
]) {
  await check(`layout: ${name} fits its width`, async () => {
    const side = await open(options);
    await side.state('clock', 'open');
    await side.atLeast('clock-received-messages', 1);
    const [content, room] = await side.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    expect(content <= room, `${content} pixels of content in ${room}`);
    await side.shot(name);
    await side.page.context().close();
  });
}

let axe;
try { axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'); } catch { console.log('skip  accessibility: axe-core is not installed'); }
if (axe) {
  for (const colorScheme of ['light', 'dark']) {
    await check(`accessibility: axe finds nothing (${colorScheme})`, async () => {
      const side = await open({ colorScheme, reducedMotion: 'reduce' });
      await side.state('echo', 'open');
      await side.page.click('#echo-send');
      await side.page.click('#echo-burst');
      await side.page.waitForSelector('#echo-burst-result[data-rate]', { timeout: 60_000 });
      await side.page.click('#tokens-start');
      await side.state('tokens', 'done');
      await side.page.evaluate(axe);
      const { violations } = await side.page.evaluate(() => globalThis.axe.run({
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }));
      same(violations.map(found => `${found.id} (${found.nodes.map(node => node.target).join(', ')})`).join('; '), '', 'what axe found');
      await side.page.context().close();
    });
  }
}

await check('no console errors, no policy violations', () => same([...complaints].join('; '), '', 'what the browser said'));

await browser.close();
console.log(failures === 0 ? 'all checks passed' : `${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
