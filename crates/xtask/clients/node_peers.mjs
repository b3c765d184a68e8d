// Node `ws` and undici against our server, then a server made of `ws` that our client visits: the same conversations as in Python. Our
// client says what it hears, and closes when it is told to.

import { Arrivals, check, expect, require, run, same, webSocketUrl, within } from './checks.mjs';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';

const WebSocket = require('ws');
const undici = require('undici').WebSocket;

const LARGEST = 64 << 20;
const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 65537, 1 << 20, LARGEST];
const CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const REASONS = ['', 'done', 'grüße 😀', 'r'.repeat(123)];
const partings = CODES.map((code, at) => [code, REASONS[at % REASONS.length]]);

/** One end of a WebSocket that `ws` holds, as a client or as a server. */
class Ws {
  constructor(socket) {
    this.socket = socket;
    this.messages = new Arrivals();
    this.pongs = new Arrivals();
    socket.on('message', (data, isBinary) => this.messages.push(isBinary ? data : data.toString()));
    socket.on('pong', data => this.pongs.push(data));
    socket.on('error', () => {});                         // a `close` follows
    this.ended = once(socket, 'close').then(([code, reason]) => [code, reason.toString()]);
  }

  static async open(path, protocols = []) {
    const peer = new Ws(new WebSocket(webSocketUrl(path), protocols, { maxPayload: 0 }));
    await within(10_000, once(peer.socket, 'open'), 'the opening');
    return peer;
  }

  send(message) { this.socket.send(message); }
  close(code, reason) { this.socket.close(code, reason); }
  get protocol() { return this.socket.protocol; }

  async ping(payload) {
    this.socket.ping(payload);
    expect(payload.equals(await this.pongs.next('a pong')), 'the pong has another payload');
  }

  fragments(parts) { parts.forEach((part, at) => this.socket.send(part, { fin: at === parts.length - 1 })); }
}

/** A client's end that undici holds. The standard lets a page send no close code below 3000 but 1000, no ping and no fragments. */
class Undici {
  constructor(socket) {
    this.socket = socket;
    this.messages = new Arrivals();
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => this.messages.push(typeof data === 'string' ? data : Buffer.from(data)));
    this.ended = once(socket, 'close').then(([{ code, reason, wasClean }]) => {
      expect(wasClean, 'it was not closed cleanly');
      return [code, reason];
    });
  }

  static async open(path, protocols = []) {
    const peer = new Undici(new undici(webSocketUrl(path), protocols));
    await within(10_000, once(peer.socket, 'open'), 'the opening');
    return peer;
  }

  send(message) { this.socket.send(message); }
  close(code, reason) { this.socket.close(code, reason); }
  get protocol() { return this.socket.protocol; }
}

const next = peer => peer.messages.next('a message', 30_000);
const ended = peer => within(10_000, peer.ended, 'the close');

async function echoes(peer) {
  for (const size of SIZES) {
    for (const message of ['x'.repeat(size), Buffer.alloc(size, randomBytes(1000))]) {
      peer.send(message);
      const answer = await next(peer);
      same([typeof answer, answer.length], [typeof message, message.length], 'type and length of the echo');
      expect(typeof message === 'string' ? message === answer : message.equals(answer), `the echo of ${size} differs`);
    }
  }
}

async function fragments(peer) {
  for (const parts of [['', 'a', ''], ['Gr', 'ü', 'ße'], ['x'.repeat(70_000), '', 'y'], Array.from({ length: 1000 }, (_, at) => `${at}`)]) {
    peer.fragments(parts);
    same(await next(peer), parts.join(''), 'the echo');
  }
}

async function pings(peer) {
  for (const size of [0, 1, 124, 125]) await peer.ping(randomBytes(size));
}

for (const [name, client] of Object.entries({ ws: Ws, undici: Undici })) {
  const sendable = client === Ws ? partings : partings.filter(([code]) => code === 1000 || code >= 3000);

  check(`${name}: text and binary of 0 B to 64 MiB come back`, async () => {
    const peer = await client.open('/echo');
    await echoes(peer);
    peer.close(1000, '');
    same((await ended(peer))[0], 1000, 'the close code');
  });

  check(`${name}: every close code comes back`, async () => {
    for (const [code, reason] of sendable) {
      const peer = await client.open('/echo');
      peer.close(code, reason);
      same((await ended(peer))[0], code, 'the code that comes back');
    }
    return `${sendable.length} codes`;
  });

  check(`${name}: every close code of ours arrives with its reason`, async () => {
    for (const [code, reason] of partings) {
      const peer = await client.open('/close');
      peer.send(`${code} ${reason}`);
      same(await ended(peer), [code, reason], 'the code and the reason');
    }
    return `${partings.length} codes`;
  });

  check(`${name}: the first subprotocol that we have is agreed on`, async () => {
    for (const [offered, agreed] of [[['echo'], 'echo'], [['other', 'mirror', 'echo'], 'mirror'], [[], '']]) {
      const peer = await client.open('/echo', offered);
      same(peer.protocol, agreed, `the subprotocol for ${offered}`);
      peer.close(1000, '');
      await ended(peer);
    }
  });
}

check('ws: fragments come back as one message, and a ping of 0 to 125 bytes is answered', async () => {
  const peer = await Ws.open('/echo');
  await fragments(peer);
  await pings(peer);
  peer.close(1000, '');
  await ended(peer);
});

check('ws: 64 MiB and one byte is 1009', async () => {
  const peer = await Ws.open('/echo');
  peer.send(randomBytes(LARGEST + 1));
  same((await ended(peer))[0], 1009, 'the close code');
});

// What may be agreed on for permessage-deflate (RFC 7692 §7.1), by the names that `ws` has for it.
const FORMS = [
  {},
  { serverNoContextTakeover: true },
  { clientNoContextTakeover: true },
  { serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
  { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 12, clientMaxWindowBits: 9 },
];

/** Messages that refer to those before them where a window is kept, and give nonsense where one was forgotten by one side. */
async function againAndAgain(peer) {
  expect(peer.socket.extensions.startsWith('permessage-deflate'), 'nothing was agreed on');
  const noise = [1, 100, 700, 5_000].map(size => randomBytes(size));
  for (let round = 0; round < 5; round += 1) {
    for (const message of [`round ${round}: ${'so it goes on, and on; '.repeat(60)}`, ...noise, '', Buffer.concat(noise)]) {
      peer.send(message);
      const answer = await next(peer);
      expect(typeof message === 'string' ? message === answer : message.equals(answer), `an echo of ${message.length} differs`);
    }
  }
}

check('ws: compression in every form that may be agreed on', async () => {
  for (const form of FORMS) {
    const peer = new Ws(new WebSocket(webSocketUrl('/echo'), { perMessageDeflate: { threshold: 0, ...form } }));
    await within(10_000, once(peer.socket, 'open'), 'the opening');
    await againAndAgain(peer);
    await fragments(peer);
    peer.close(1000, '');
    await ended(peer);
  }
  return `${FORMS.length} forms`;
});

/** Has our client visit a server that talks to it like this; returns what our client says. */
async function hosted(conversation, offered = [], perMessageDeflate = false) {
  const handleProtocols = protocols => ['second', 'first'].find(name => protocols.has(name)) ?? false;
  const server = new WebSocket.Server({ host: '127.0.0.1', port: 0, maxPayload: 0, handleProtocols, perMessageDeflate });
  try {
    await once(server, 'listening');
    const visitor = promisify(execFile)(process.env.COUNTERPART, ['visit', `127.0.0.1:${server.address().port}`, '/there?x=y', ...offered]);
    const [socket] = await within(10_000, once(server, 'connection'), 'our client');
    await conversation(new Ws(socket));
    return (await within(20_000, visitor, 'the end of our client')).stdout.trim().split('\n');
  } finally {
    server.close();
    for (const socket of server.clients) socket.terminate();
  }
}

async function leave(peer) {
  peer.send('close 1000 done');
  same(await ended(peer), [1000, 'done'], 'our client\'s Close');
}

for (const [name, conversation] of Object.entries({
  'text and binary of 0 B to 64 MiB come back': echoes,
  'fragments come back as one message': fragments,
  'a ping of 0 to 125 bytes is answered': pings,
})) {
  check(`a server of ws: ${name}`, async () => {
    const said = await hosted(async peer => {
      await conversation(peer);
      await leave(peer);
    });
    same(said, ['opened', 'we closed'], 'what our client says');
  });
}

check('a server of ws: every close code comes back', async () => {
  for (const [code, reason] of partings) {
    const said = await hosted(async peer => {
      peer.close(code, reason);
      same((await ended(peer))[0], code, 'the code that comes back');
    });
    same(said, ['opened', `closed by the peer: ${code}`], 'what our client says');
  }
  return `${partings.length} codes`;
});

check('a server of ws: every close code of ours arrives with its reason', async () => {
  for (const [code, reason] of partings) {
    const said = await hosted(async peer => {
      peer.send(`close ${code} ${reason}`);
      same(await ended(peer), [code, reason], 'our client\'s Close');
    });
    same(said, ['opened', 'we closed'], 'what our client says');
  }
  return `${partings.length} codes`;
});

check('a server of ws: a subprotocol that we offered may be agreed on', async () => {
  for (const [offered, agreed] of [[['first'], 'first'], [['other', 'second'], 'second'], [[], '']]) {
    const said = await hosted(async peer => {
      same(peer.protocol, agreed, `the subprotocol for ${offered}`);
      await leave(peer);
    }, offered);
    same(said, ['opened', 'we closed'], 'what our client says');
  }
});

check('a server of ws: compression in every form that it may ask for', async () => {
  for (const form of FORMS) {
    const said = await hosted(async peer => {
      await againAndAgain(peer);
      await leave(peer);
    }, [], { threshold: 0, ...form });
    same(said, ['opened', 'we closed'], `what our client says of ${JSON.stringify(form)}`);
  }
  return `${FORMS.length} forms`;
});

await run();
