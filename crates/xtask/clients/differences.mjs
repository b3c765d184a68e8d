// docs/conformance.md, as differences.py reads it: where a suite and we differ on purpose. A difference without a row fails, and so
// does a row that no case needs.

import { readFileSync } from 'node:fs';
import { expect, same } from './checks.mjs';

const page = readFileSync(new URL('../../../docs/conformance.md', import.meta.url), 'utf8');
const plain = cell => cell.trim().replace(/^`(.*)`$/, '$1');

/** The rows below a heading of that page: what names a case, by the first cell, and the verdicts behind it. */
export class Table {
  #rows = new Map();
  #needed = new Set();

  /** Rows whose case begins like this are left to another script. */
  constructor(heading, exceptFor) {
    const section = page.split(/^## /m).find(section => section.startsWith(`${heading}\n`));
    expect(section, `docs/conformance.md has no section ${heading}`);
    for (const line of section.split('\n').filter(line => line.startsWith('| `') && !line.startsWith(`| \`${exceptFor}`))) {
      const [name, ...verdicts] = line.slice(1, -1).split(' | ').map(plain);
      expect(verdicts.pop(), `the row of ${name} gives no reason`);
      this.#rows.set(name, verdicts);
    }
  }

  settle(name, agrees, ...verdicts) {
    if (agrees) return undefined;
    expect(this.#rows.has(name), `${verdicts.join(' against ')}, and no row explains it`);
    this.#needed.add(name);
    same(this.#rows.get(name), verdicts, 'what its row says');
    return 'differs, as its row says';
  }

  nothingStale() {
    const stale = [...this.#rows.keys()].filter(name => !this.#needed.has(name));
    expect(!stale.length, `rows that no case needs: ${stale.join(', ')}`);
    return `${this.#needed.size} differences, each explained`;
  }
}
