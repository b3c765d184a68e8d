// What the checks in JavaScript share. A script registers checks, then calls `run()`: each prints one line, `ok    NAME` or
// `FAIL  NAME: WHY`, and takes a minute at most; the exit code is 1 if one failed. Packages are looked up from the working directory.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const require = createRequire(join(process.cwd(), 'package.json'));

const BOUND = 60_000;
const checks = [];

export function check(name, body) { checks.push([name, body]); }

export function same(seen, wanted, what) {
  const [left, right] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what} is ${short(left)}, not ${short(right)}`);
}

export function expect(truth, message) { if (!truth) throw new Error(message); }

function short(text = 'undefined') { return text.length <= 200 ? text : `${text.slice(0, 160)}… (${text.length} long)`; }

/** The promise's value, or an error once the time is up. */
export async function within(milliseconds, promise, what) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what}: no end after ${milliseconds} ms`)), milliseconds); });
  try { return await Promise.race([promise, late]); } finally { clearTimeout(timer); }
}

export async function run() {
  let failed = 0;
  for (const [name, body] of checks) {
    try {
      const note = await within(BOUND, body(), 'the check');
      console.log(`ok    ${name}${note === undefined ? '' : `: ${note}`}`);
    } catch (error) {
      failed++;
      console.log(`FAIL  ${name}: ${String(error?.stack ?? error).split('\n').slice(0, 3).map(line => line.trim()).join(' | ')}`);
    }
  }
  process.exit(failed ? 1 : 0);
}

/** The address of the server under test: the first argument. */
export const base = process.argv[2];
export const webSocketUrl = path => base.replace('http://', 'ws://') + path;

/** Things that arrive one by one: `push` from an event, `next` awaits the oldest that was not taken yet. */
export class Arrivals {
  #there = [];
  #awaited = [];
  push(thing) {
    const taker = this.#awaited.shift();
    if (taker) taker(thing); else this.#there.push(thing);
  }
  next(what = 'the next one', milliseconds = 15_000) {
    if (this.#there.length) return Promise.resolve(this.#there.shift());
    return within(milliseconds, new Promise(taker => this.#awaited.push(taker)), what);
  }
}

const programs = new Set();
process.on('exit', () => programs.forEach(program => program.kill('SIGKILL')));
process.on('SIGTERM', () => process.exit(143));

/** A server process of our own, which does not outlive this one: resolves to it and its address once it listens. */
export async function start(...flags) {
  const program = spawn(process.env.LONGWIRE, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  programs.add(program);
  const said = [];
  const lines = createInterface({ input: program.stderr });
  const http = await within(20_000, new Promise((resolve, reject) => {
    lines.on('line', line => {
      said.push(line);
      const found = /listening on (http:\/\/\S+)/.exec(line);
      if (found) resolve(found[1]);
    });
    lines.on('close', () => reject(new Error(`the program ended: ${said.join(' | ')}`)));
  }), 'the program\'s start');
  return {
    http,
    async kill() {
      program.kill('SIGKILL');
      if (program.exitCode === null && program.signalCode === null) await once(program, 'exit');
      programs.delete(program);
    },
  };
}
