// The four live panels of the demo page. Read top-down: what every panel shares (words, the traced wire, the panel
// with its state and counters), a WebSocket that comes back by itself, then Echo, Chat, Clock and Tokens.
// Text from the network reaches the document through textContent only; every log and every queue is bounded.

const $ = id => document.getElementById(id);
const still = matchMedia('(prefers-reduced-motion: reduce)');

// Words

const whole = new Intl.NumberFormat('en');
const tenths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const encoder = new TextEncoder();

const bytesOf = data => typeof data === 'string' ? encoder.encode(data).length : data.byteLength;

function size(bytes) {
  if (bytes < 10_000) return `${whole.format(bytes)} B`;
  return bytes < 1e6 ? `${tenths.format(bytes / 1e3)} kB` : `${tenths.format(bytes / 1e6)} MB`;
}

function duration(ms) {
  if (ms >= 1000) return `${tenths.format(ms / 1000)} s`;
  return ms < 100 ? `${tenths.format(ms)} ms` : `${whole.format(Math.round(ms))} ms`;
}

const plural = (n, one) => `${whole.format(n)} ${one}${n === 1 ? '' : 's'}`;
const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(' ');

function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** A number in a <data> element: as people read it, and plain in `value` and `data-value`. */
function show(target, number, text = whole.format(number)) {
  target.textContent = text;
  target.value = target.dataset.value = String(number);
}

/** Tells a screen reader what no log says; what comes within a moment is said in one breath. */
const announce = (() => {
  let waiting = [];
  return text => {
    if (waiting.push(text) > 1) return;
    setTimeout(() => { $('announcer').textContent = waiting.join(' '); waiting = []; }, 400);
  };
})();

/** Whether the end of what scrolls in there is to be seen. */
const atEnd = room => room.scrollTop + room.clientHeight > room.scrollHeight - 30;

/** Puts a row at one end of a log and lets the oldest fall off the other. */
function add(log, row, most, newest = 'first') {
  const room = log.parentElement;
  const following = atEnd(room);
  if (newest === 'first') log.prepend(row); else log.append(row);
  while (log.children.length > most) (newest === 'first' ? log.lastChild : log.firstChild).remove();
  if (newest === 'last' && following) room.scrollTop = room.scrollHeight;
}

// The wire: what was sent and received in the last seconds, in bins of a tenth of a second

const BIN = 100, BINS = 1200, PIXELS_PER_BIN = 2;

class Trace {
  up = new Float64Array(BINS);
  down = new Float64Array(BINS);
  joined = new Uint8Array(BINS);        // 0 broken, 1 connecting, 2 open: the worst of the bin
  newest = Math.floor(Date.now() / BIN);
  now = 0;

  constructor(canvas) { this.canvas = canvas; }

  /** Brings the ring up to the present; returns the present bin's place. */
  bin() {
    const bin = Math.floor(Date.now() / BIN);
    for (let at = Math.max(this.newest + 1, bin - BINS + 1); at <= bin; at++) {
      this.up[at % BINS] = this.down[at % BINS] = 0;
      this.joined[at % BINS] = this.now;
    }
    this.newest = Math.max(this.newest, bin);
    return this.newest % BINS;
  }

  join(now) {
    const place = this.bin();
    this.now = now;
    this.joined[place] = now === 2 ? Math.max(this.joined[place], 1) : Math.min(this.joined[place], now);
  }

  record(side, bytes) { this[side][this.bin()] += bytes + 2; }

  draw(ink) {
    const { canvas } = this, scale = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    this.bin();
    const pen = canvas.getContext('2d'), middle = Math.round(height / 2), right = Math.floor(width) - 7;
    const shift = Math.floor((Date.now() % BIN) / BIN * PIXELS_PER_BIN);
    const tall = bytes => Math.min(middle - 2, 3 + 1.45 * Math.log2(bytes));
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const oldest = this.newest - Math.min(BINS - 1, Math.ceil(right / PIXELS_PER_BIN));
    let from = null;
    for (let at = oldest; at <= this.newest + 1; at++) {
      const place = at % BINS, x = right - (this.newest - at) * PIXELS_PER_BIN - shift;
      if (at % (1000 / BIN) === 0) {
        pen.fillStyle = ink.hair;
        pen.fillRect(x, middle - 3, 1, 6);
      }
      pen.fillStyle = ink.ink;
      const open = at <= this.newest && this.joined[place] === 2;
      if (open) from ??= x;
      if (!open && from !== null) {
        pen.fillRect(from, middle - 1, Math.min(x, right) - from, 2);       // one piece of wire, not a row of bits
        from = null;
      }
      if (at > this.newest) break;
      if (this.joined[place] === 1 && at % 2 === 0) pen.fillRect(x, middle - 1, 2, 2);
      if (this.up[place]) {
        pen.fillStyle = ink.sent;
        pen.fillRect(x, middle - 1, 2, -tall(this.up[place]));
      }
      if (this.down[place]) {
        pen.fillStyle = ink.received;
        pen.fillRect(x, middle + 1, 2, tall(this.down[place]));
      }
    }
    this.plug(pen, right, middle, ink);
  }

  /** The end of the wire: filled when open, a ring when not. */
  plug(pen, x, y, ink) {
    pen.beginPath();
    pen.arc(x, y, 4, 0, 2 * Math.PI);
    pen.fillStyle = this.now === 2 ? ink.ink : ink.paper;
    pen.fill();
    pen.strokeStyle = ink.ink;
    pen.lineWidth = 1.5;
    pen.stroke();
  }
}

const trunk = new Trace($('wire'));
const traces = [trunk];

function drawTraces() {
  let ink, last = 0;
  const mix = () => {
    const style = getComputedStyle(document.documentElement);
    ink = Object.fromEntries(['ink', 'hair', 'sent', 'received', 'paper'].map(name => [name, style.getPropertyValue(`--${name}`).trim()]));
  };
  for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) matchMedia(query).addEventListener('change', mix);
  mix();
  const frame = time => {
    // Whole pixels, twenty a second, so twenty pictures; one a second where motion is unwelcome.
    if (time - last >= (still.matches ? 1000 : 45)) {
      last = time;
      for (const trace of traces) trace.draw(ink);
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

// A panel: its state in words, its counters, its wire

const JOINED = { open: 2, connecting: 1 };

class Panel {
  counts = { 'sent-messages': 0, 'sent-bytes': 0, 'received-messages': 0, 'received-bytes': 0, reconnects: 0 };
  due = false;
  lost = false;

  constructor(name, title) {
    this.name = name;
    this.title = title;
    this.section = $(name);
    this.trace = new Trace($(`${name}-trace`));
    traces.push(this.trace);
    Panel.all.push(this);
  }

  static all = [];

  state(state, detail = '') {
    if (this.section.dataset.state !== state) $(`${this.name}-state`).textContent = state;
    this.section.dataset.state = state;
    this.detail(detail);
    this.trace.join(JOINED[state] ?? 0);
    trunk.join(Math.max(...Panel.all.map(panel => panel.trace.now)));
    if (state === 'reconnecting' && !this.lost) announce(`${this.title} lost its connection.`);
    if (state === 'open' && this.lost) announce(`${this.title} is connected again.`);
    if (state === 'reconnecting' || state === 'open') this.lost = state === 'reconnecting';
  }

  detail(text) { $(`${this.name}-detail`).textContent = text; }

  note(text) {
    const note = $(`${this.name}-note`);
    if (note.textContent !== text) note.textContent = text;
  }

  sent(bytes) { this.count('sent', 'up', bytes); }

  received(bytes) { this.count('received', 'down', bytes); }

  count(what, side, bytes) {
    this.trace.record(side, bytes);
    trunk.record(side, bytes);
    this.counts[`${what}-messages`]++;
    this.counts[`${what}-bytes`] += bytes;
    this.soon();
  }

  reconnected() {
    this.counts.reconnects++;
    this.soon();
  }

  /** Thousands of messages a second, a few dozen changes of the document. */
  soon() {
    if (this.due) return;
    this.due = true;
    setTimeout(() => {
      this.due = false;
      for (const [what, number] of Object.entries(this.counts)) {
        const target = $(`${this.name}-${what}`);
        if (target) show(target, number, what.endsWith('bytes') ? size(number) : undefined);
      }
    }, 40);
  }
}

// Coming back: twice as long each time up to 15 s, and never at the same moment as everybody else

class Backoff {
  attempt = 0;

  delay() {
    const most = Math.min(15_000, 500 * 2 ** this.attempt++);
    return most * (.5 + Math.random() / 2);
  }

  /** Calls `change` with the seconds that are left, then `end`; returns what calls it off. */
  static countdown(ms, change, end) {
    const until = performance.now() + ms;
    const step = () => {
      const left = until - performance.now();
      if (left <= 0) { clearInterval(timer); end(); } else change(tenths.format(left / 1000));
    };
    const timer = setInterval(step, 100);
    step();
    return () => clearInterval(timer);
  }
}

const UNSENT = 'Not connected: nothing was sent.';

class Socket {
  backoff = new Backoff();
  lost = false;

  /** `events`: opened(), message(data), closed(code, reason). */
  constructor(path, panel, events) {
    Object.assign(this, { path, panel, events });
    const drop = $(`${panel.name}-drop`);
    drop.addEventListener('click', () => this.socket.readyState < WebSocket.CLOSING ? this.drop() : this.connect());
    addEventListener('online', () => this.waiting && this.connect());
    this.connect();
  }

  get open() { return this.socket?.readyState === WebSocket.OPEN; }

  connect() {
    this.callOff();
    if (this.socket && this.socket.readyState !== WebSocket.CLOSED && this.socket.onclose) return;
    const address = new URL(this.path, location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    const socket = this.socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    this.panel.state(this.lost ? 'reconnecting' : 'connecting', `GET ${this.path}`);
    socket.onopen = () => this.opened(socket);
    socket.onmessage = ({ data }) => {
      this.panel.received(bytesOf(data));
      this.events.message(data);
    };
    socket.onclose = ({ code, reason }) => this.closed(socket, code, reason);
  }

  opened(socket) {
    if (this.lost) this.panel.reconnected();
    this.lost = false;
    this.panel.state('open', '101 Switching Protocols');
    if ($(`${this.panel.name}-note`).textContent === UNSENT) this.panel.note('');
    this.say('drop', 'Drop');
    // A server that accepts and hangs up at once does not get to see us more often than one that refuses.
    setTimeout(() => { if (this.socket === socket && this.open) this.backoff.attempt = 0; }, 5000);
    this.events.opened?.();
  }

  closed(socket, code, reason) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.lost = true;
    this.events.closed?.(code, reason);
    this.say('now', 'Reconnect');
    const why = `closed ${code}${reason ? `: ${reason}` : ''}`;
    this.panel.state('reconnecting', why);
    this.waiting = Backoff.countdown(this.backoff.delay(),
      left => this.panel.detail(`${why}, try ${this.backoff.attempt} in ${left} s`), () => this.connect());
  }

  callOff() {
    this.waiting?.();
    this.waiting = null;
  }

  /** A peer that does not answer the Close is not waited for. */
  drop() {
    const { socket } = this;
    socket.close(1000, 'dropped by hand');
    setTimeout(() => { if (socket.onclose) this.closed(socket, 1006, ''); }, 1000);
  }

  say(word, label) {
    const button = $(`${this.panel.name}-drop`);
    button.textContent = word;
    button.setAttribute('aria-label', `${label} the ${this.panel.name} connection`);
  }

  /** Whether something can be sent; says so if not. */
  ready() {
    const fault = this.open ? '' : UNSENT;
    this.panel.note(fault);
    if (fault) announce(fault);
    return this.open;
  }

  send(data) {
    if (!this.ready()) return false;
    this.socket.send(data);
    this.panel.sent(bytesOf(data));
    return true;
  }

  /** The header of an unfragmented frame (RFC 6455 §5.2), unless an extension was agreed on that may change it. */
  header(data, masked) {
    if (this.socket.extensions) return '';
    const length = bytesOf(data), mask = masked ? 0x80 : 0;
    const extended = length < 126 ? [mask | length]
      : length < 65_536 ? [mask | 126, length >> 8, length & 255]
      : [mask | 127, 0, 0, 0, 0, length >>> 24, length >> 16 & 255, length >> 8 & 255, length & 255];
    const head = hex([typeof data === 'string' ? 0x81 : 0x82, ...extended]);
    return masked ? `${head} ·· ·· ·· ··` : head;       // the masking key is the browser's secret
  }
}

// Echo: every message is expected back, in order and unchanged

class Echo {
  panel = new Panel('echo', 'Echo');
  expected = [];                        // what is under way, oldest first: { data, at, back, lost }
  burst = null;

  constructor() {
    this.socket = new Socket('/echo', this.panel, { message: data => this.came(data), closed: () => this.broke() });
    $('echo-form').addEventListener('submit', event => { event.preventDefault(); this.say($('echo-text').value); });
    $('echo-burst-form').addEventListener('submit', event => { event.preventDefault(); this.start(); });
  }

  get binary() { return $('echo-kind-binary').checked; }

  say(text) {
    const data = this.binary ? encoder.encode(text).buffer : text;
    if (this.expected.length >= 1000 || !this.socket.send(data)) return;
    this.expected.push({
      data, at: performance.now(),
      back: (same, ms, answer) => this.row(data, answer, same ? 'same' : 'different', ms),
      lost: () => this.row(data, null, 'lost', NaN),
    });
  }

  came(answer) {
    const sent = this.expected.shift();
    if (!sent) return this.panel.note('Something came back that nobody sent.');
    const ms = performance.now() - sent.at;
    sent.back(Echo.equal(sent.data, answer), ms, answer);
  }

  broke() {
    for (const sent of this.expected.splice(0)) sent.lost?.();
    if (this.burst) this.end('broken off');
  }

  static equal(sent, came) {
    if (typeof sent === 'string' || typeof came === 'string') return sent === came;
    const [a, b] = [new Uint8Array(sent), new Uint8Array(came)];
    return a.length === b.length && a.every((byte, at) => byte === b[at]);
  }

  row(data, answer, verdict, ms) {
    const row = document.createElement('li');
    const bytes = answer instanceof ArrayBuffer ? new Uint8Array(answer, 0, Math.min(48, answer.byteLength)) : null;
    const text = answer === null ? 'lost with the connection' : bytes ? hex(bytes) : answer.slice(0, 200);
    row.dataset.verdict = verdict;
    row.dataset.ms = String(ms);
    const head = element('code', answer === null ? '' : this.socket.header(answer, false));
    head.title = `sent as ${this.socket.header(data, true) || 'a frame'}, came back as ${head.textContent || 'a frame'}`;
    row.append(head, element('bdi', text, bytes && 'hex'));
    row.append(element('small', verdict === 'same' ? `${size(bytesOf(answer))} in ${duration(ms)}` : verdict));
    add($('echo-log'), row, 50);
    if (verdict === 'same') show($('echo-trip'), ms, duration(ms));
  }

  /** Message `index` of a burst: its number, then a pattern that depends on it. */
  static message(index, size, binary) {
    if (!binary) return `${index} `.padEnd(size, 'the quick brown fox jumps over the lazy dog; ').slice(0, Math.max(size, 6));
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at++) bytes[at] = at * 31 + index;
    new DataView(bytes.buffer).setUint32(0, index);
    return bytes.buffer;
  }

  start() {
    if (this.burst) return announce('A burst is under way.');
    if (!this.socket.ready()) return;
    const count = Number($('echo-count').value), bytes = Number($('echo-size').value);
    // A full pipe without a mountain of memory in the browser.
    const window = Math.max(4, Math.min(128, Math.floor(1_048_576 / bytes)));
    this.burst = { count, bytes, window, binary: this.binary, next: 0, verified: 0, wrong: 0, trips: [], began: performance.now() };
    const result = $('echo-burst-result');
    result.classList.remove('bad');
    for (const name of ['verified', 'wrong', 'rate']) delete result.dataset[name];
    $('echo-burst').setAttribute('aria-disabled', 'true');
    this.fill();
  }

  fill() {
    const { burst } = this;
    while (burst.next < burst.count && this.expected.length < burst.window && this.socket.open) {
      const data = Echo.message(burst.next++, burst.bytes, burst.binary);
      this.expected.push({ data, at: performance.now(), back: (same, ms) => this.verified(same, ms) });
      this.socket.send(data);
    }
  }

  verified(same, ms) {
    const { burst } = this;
    if (!burst) return;
    if (same) burst.verified++; else burst.wrong++;
    burst.trips.push(ms);
    const done = burst.trips.length;
    if (done === burst.count) return this.end('done');
    if (done % 64 === 0) this.progress(done / burst.count, `${whole.format(done)} of ${whole.format(burst.count)} are back …`);
    this.fill();
  }

  progress(part, text) {
    $('echo-burst-progress').value = part;
    $('echo-burst-result').textContent = text;
  }

  end(how) {
    const { count, bytes, verified, wrong, trips, began } = this.burst;
    const seconds = Math.max(performance.now() - began, .1) / 1000, rate = Math.round(trips.length / seconds);
    const result = $('echo-burst-result');
    trips.sort((a, b) => a - b);
    const quantile = q => duration(trips[Math.min(trips.length - 1, Math.floor(q * trips.length))] ?? 0);
    this.burst = null;
    $('echo-burst').removeAttribute('aria-disabled');
    Object.assign(result.dataset, { verified, wrong, rate });
    result.classList.toggle('bad', wrong > 0 || how !== 'done');
    this.progress(trips.length / count, how === 'done'
      ? `${whole.format(verified)} of ${whole.format(count)} echoes verified in ${duration(seconds * 1000)}: `
        + `${whole.format(rate)} messages/s, ${size(rate * bytes)}/s each way; round trip ${quantile(.5)} median, ${quantile(.99)} at 99 %.`
      : `Broken off with the connection: ${whole.format(verified)} of ${whole.format(count)} echoes verified.`);
    announce(result.textContent);
  }
}

// Chat: the first message is the name, later ones are for everybody

/** The longest line, in bytes. */
const LONGEST = 500;

/** What the server says to whoever was not heard, word for word. */
const BUSY = 'The room is busy, and nobody heard that. Say it again in a moment.';

class Chat {
  panel = new Panel('chat', 'Chat');
  name = '';
  welcome = false;                      // something was heard since the name was said
  said = '';                            // the last line that was said

  constructor() {
    this.socket = new Socket('/chat', this.panel, {
      opened: () => this.comeBack(),
      message: line => this.heard(line),
      closed: (code, reason) => this.hungUp(code, reason),
    });
    $('chat-name-form').addEventListener('submit', event => { event.preventDefault(); this.enter($('chat-name').value.trim()); });
    $('chat-form').addEventListener('submit', event => { event.preventDefault(); this.say($('chat-text')); });
    $('chat-leave').addEventListener('click', () => this.leave());
  }

  enter(name) {
    const characters = [...name].length;
    if (characters < 1 || characters > 40 || name.includes(':')) return this.panel.note('A name has 1 to 40 characters, and no colon.');
    if (!this.socket.send(name)) return;
    this.become(name);
    $('chat-text').focus();
  }

  /** The name is said again; why it has to be is still to be read. */
  comeBack() {
    const { textContent: why } = $('chat-note');
    if (this.name && this.socket.send(this.name)) this.note(why);
  }

  become(name) {
    this.name = name;
    $('chat-name-form').hidden = name !== '';
    $('chat-form').hidden = name === '';
    $('chat-hint').hidden = name !== '';
    $('chat-bounds').hidden = name === '';
    $('chat-me').textContent = name || '–';
  }

  say(input) {
    const bytes = bytesOf(input.value);
    if (bytes > LONGEST) return this.tell(`A line has at most ${LONGEST} bytes in UTF-8, and this one has ${whole.format(bytes)}.`);
    if (!bytes || !this.socket.send(input.value)) return;
    this.said = input.value;
    input.value = '';
    this.panel.note('');
  }

  /** A name lasts as long as its connection, so leaving is hanging up and coming back without one. */
  leave() {
    this.become('');
    $('chat-name').focus();
    if (this.socket.open) this.socket.drop();
  }

  /** A name that the server does not take is not offered again and again; whoever is in comes back, and is told why it had to. */
  hungUp(code, reason) {
    if (code === 1008 && this.name && !this.welcome) {
      this.become('');
      this.note(reason || 'The server does not take this name.');
    } else if (this.name && (code === 1008 || code === 1009)) {
      this.unheard(`The server hung up, and nobody heard that: ${reason || 'it was too much'}.`);
    }
    this.welcome = false;
  }

  /** A line that nobody heard stands in its field again, unless the next one is being written there. */
  unheard(why) {
    this.tell(why);
    $('chat-text').value ||= this.said;
  }

  tell(text) {
    this.note(text);
    announce(text);
  }

  /** A note takes its room from the log: whoever has seen its end sees it still. */
  note(text) {
    const room = $('chat-log').parentElement, following = atEnd(room);
    this.panel.note(text);
    if (following) room.scrollTop = room.scrollHeight;
  }

  heard(line) {
    if (typeof line !== 'string') return;
    this.welcome = true;
    if (line === BUSY) return this.unheard(BUSY);
    const row = document.createElement('li'), colon = line.indexOf(': ');
    if (colon < 0) {
      row.className = 'whole';
      row.append(element('bdi', line));
    } else {
      row.className = line.startsWith(`${this.name}: `) ? 'mine' : '';
      row.append(element('b', line.slice(0, colon + 1)), ' ', element('bdi', line.slice(colon + 2)));
    }
    add($('chat-log'), row, 200, 'last');
  }
}

// Clock: an event stream that is resumed at the last id

class Clock {
  panel = new Panel('clock', 'Clock');
  last = null;                          // the newest id, a Unix second
  kinds = new Map();                    // id -> live | caught, the last two minutes
  counts = { resumptions: 0, caught: 0, gaps: 0, missing: 0 };
  backoff = new Backoff();
  reopened = null;                      // when this stream was opened as a resumption, in seconds
  lag = .5;                             // how far behind this machine's clock a second arrives, at the earliest

  constructor() {
    for (let cell = 0; cell < 60; cell++) $('clock-ruler').append(document.createElement('i'));
    $('clock-drop').addEventListener('click', () => this.source ? this.drop() : this.open());
    $('clock-back').addEventListener('click', () => this.back());
    // HTTP/1.1 lends a browser six connections to one host: tabs in the background give theirs back and resume later.
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) return this.paused && this.open();
      if (this.source) this.pause();
    });
    setInterval(() => { if (this.panel.section.dataset.state !== 'open') this.rule(); }, 1000);
    this.open();
  }

  open(from = this.last) {
    this.shut();
    if (document.hidden) return this.pause();
    this.label('Drop for 8 s');
    const path = from === null ? '/clock' : `/clock?last_event_id=${from}`;
    this.panel.state(this.panel.lost ? 'reconnecting' : 'connecting', `GET ${path}`);
    const source = this.source = new EventSource(path);
    source.onopen = () => this.opened(from !== null || this.last !== null);
    source.onmessage = event => this.second(event);
    source.addEventListener('gap', event => this.gap(event));
    source.onerror = () => this.failed(source);
  }

  opened(resumed) {
    this.backoff.attempt = 0;
    this.fresh = true;
    if (this.seen) this.panel.reconnected();
    this.seen = true;
    if (resumed) this.tally('resumptions', 1);
    this.reopened = resumed ? Date.now() / 1000 : null;
    this.panel.state('open', '200 text/event-stream');
  }

  failed(source) {
    if (source.readyState === EventSource.CONNECTING) {
      return this.panel.state('reconnecting', 'the browser retries by itself');
    }
    this.shut();                        // any status but 200 ends an EventSource for ever: go on by hand
    this.panel.state('reconnecting', 'refused');
    this.label('Resume now');
    this.waiting = Backoff.countdown(this.backoff.delay(), left => this.panel.detail(`refused, again in ${left} s`), () => this.open());
  }

  shut() {
    this.waiting?.();
    this.source?.close();
    this.waiting = this.source = null;
    this.paused = false;
  }

  drop() {
    this.shut();
    this.panel.state('dropped', '');
    this.panel.note('');
    this.label('Resume now');
    this.waiting = Backoff.countdown(8000, left => this.panel.detail(`resumes in ${left} s`), () => this.open());
  }

  /** Asks for more than the server remembers: sixty seconds come, and a gap says how many do not. */
  back() {
    if (this.last === null) return;
    this.open(this.last - 90);
  }

  pause() {
    this.shut();
    this.paused = true;
    this.panel.state('paused', 'while this tab is hidden');
  }

  label(text) { $('clock-drop').textContent = text; }

  second({ data, lastEventId }) {
    const id = Number(lastEventId), now = Date.now() / 1000;
    this.panel.received(bytesOf(data));
    // Whatever had its turn before the stream was opened again has been caught up on.
    const kind = this.reopened !== null && id + this.lag < this.reopened - .02 ? 'caught' : 'live';
    if (kind === 'live') {
      this.lag = this.fresh ? now - id : Math.min(this.lag, now - id);
      this.fresh = false;
    } else this.tally('caught', 1);
    this.kinds.set(id, kind);
    for (const old of this.kinds.keys()) { if (old < id - 120) this.kinds.delete(old); }
    if (this.last === null || id >= this.last) {
      this.last = id;
      $('clock-time').textContent = data.slice(11, 19);
      $('clock-time').dateTime = data;
      show($('clock-id'), id, String(id));
    }
    this.row({ id: String(id), kind }, data, kind === 'live' ? 'in time' : 'caught up', kind);
    this.rule();
  }

  gap({ data }) {
    const seconds = Number(data) || 0;
    this.panel.received(bytesOf(data));
    this.tally('gaps', 1);
    this.tally('missing', seconds);
    this.row({ gap: String(seconds) }, `${plural(seconds, 'second')} missing`, 'too long ago', 'bad');
    announce(`Clock: a gap of ${plural(seconds, 'second')}.`);
  }

  tally(what, by) { show($(`clock-${what}`), this.counts[what] += by); }

  row(dataset, text, word, className) {
    const row = document.createElement('li');
    Object.assign(row.dataset, dataset);
    row.append(element('code', dataset.gap ? 'event: gap' : `id: ${dataset.id}`), element('bdi', text), element('small', word, className));
    add($('clock-log'), row, 150);
  }

  /** The last sixty seconds; while nothing arrives, time goes on by this machine's clock. */
  rule() {
    const open = this.panel.section.dataset.state === 'open' && this.last !== null;
    const newest = open ? this.last : Math.max(this.last ?? 0, Math.floor(Date.now() / 1000 - this.lag));
    let at = newest - 59;
    for (const cell of $('clock-ruler').children) {
      cell.dataset.kind = this.kinds.get(at) ?? 'none';
      if (at % 10 === 0) cell.dataset.ten = `:${String(at % 60).padStart(2, '0')}`; else delete cell.dataset.ten;
      at++;
    }
  }
}

// Tokens: an answer that arrives word by word

class Tokens {
  panel = new Panel('tokens', 'Tokens');

  constructor() {
    $('tokens-form').addEventListener('submit', event => { event.preventDefault(); this.ask($('tokens-text').value); });
    $('tokens-stop').addEventListener('click', () => this.source && this.end('stopped', `after ${plural(this.times.length, 'token')}`));
    $('tokens-stop').setAttribute('aria-disabled', 'true');
  }

  ask(text) {
    this.source?.close();
    const path = `/tokens?text=${encodeURIComponent(text)}`;
    const source = this.source = new EventSource(path);
    this.opened = 0;
    this.failures = 0;
    this.asked = performance.now();
    this.begin();
    this.panel.state('connecting', 'GET /tokens');
    this.panel.note('');
    this.panel.sent(bytesOf(path));
    $('tokens-stop').removeAttribute('aria-disabled');
    source.onopen = () => {
      if (this.opened++) { this.panel.reconnected(); this.begin(); }      // the server starts again, and so does the page
      this.panel.state('open', '200 text/event-stream');
    };
    source.addEventListener('token', ({ data }) => this.token(data));
    source.addEventListener('done', ({ data }) => this.done(data));
    source.onerror = () => this.failed(source);
  }

  begin() {
    this.times = [];
    $('tokens-answer').replaceChildren();
    $('tokens-answer').setAttribute('aria-busy', 'true');
    show($('tokens-rate'), '', '–');
    show($('tokens-first'), '', 'first after –');
  }

  token(word) {
    const room = $('tokens-answer'), now = performance.now();
    this.panel.received(bytesOf(word));
    const following = room.scrollTop + room.clientHeight > room.scrollHeight - 30;
    room.append(element('span', word));
    if (following) room.scrollTop = room.scrollHeight;
    if (this.times.push(now) === 1) show($('tokens-first'), now - this.asked, `first after ${duration(now - this.asked)}`);
    else {
      const rate = (this.times.length - 1) * 1000 / Math.max(now - this.times[0], .1);
      show($('tokens-rate'), rate, rate < 1000 ? tenths.format(rate) : whole.format(Math.round(rate)));
    }
  }

  done(count) {
    this.panel.received(bytesOf(count));
    const came = this.times.length, agreed = Number(count) === came;
    this.end('done', `${plural(came, 'token')}${agreed ? ', as many as the server counted' : ` came, the server counted ${count}`}`);
    announce(`The answer is complete: ${plural(came, 'token')}.`);
  }

  failed(source) {
    if (source.readyState === EventSource.CLOSED) return this.end('stopped', 'the server refused');
    if (++this.failures > 5) return this.end('stopped', 'given up after 5 tries');
    this.panel.state('reconnecting', 'the browser retries by itself');
  }

  end(state, detail) {
    this.source.close();
    this.source = null;
    this.panel.state(state, detail);
    $('tokens-answer').removeAttribute('aria-busy');
    $('tokens-stop').setAttribute('aria-disabled', 'true');
  }
}

$('port').textContent = location.host;
new Echo();
new Chat();
new Clock();
new Tokens();
drawTraces();
