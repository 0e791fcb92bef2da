import { readFile, stat } from 'node:fs/promises';
import { canonicalAddress } from './targets.ts';

/** The machine's own table of names, for names that the operator wrote (SPEC 5.6). */
export type Hosts = Readonly<{
  /** The addresses of a name, in the file's order, and until when (`now`) they hold. Empty: not in the file. */
  lookup(name: string): Promise<Readonly<{ addresses: readonly string[]; expiresAtMs: number }>>;
}>;

/** How often the file is looked at again. */
const LOOK_AGAIN_MS = 5_000;

/** A file that is not there, or cannot be read, has no names. */
export function createHosts(path: string, now: () => number): Hosts {
  let table: ReadonlyMap<string, readonly string[]> = new Map();
  let version = '';
  let expiresAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;

  async function refresh(): Promise<void> {
    const found = await stat(path).catch(() => null);
    const seen = found === null ? '' : `${found.ino} ${found.mtimeMs} ${found.size}`;
    if (seen !== version) table = parseHosts(await readFile(path, 'utf8').catch(() => ''));
    version = seen;
    expiresAtMs = now() + LOOK_AGAIN_MS;
    reading = null;
  }

  return {
    async lookup(name) {
      if (now() >= expiresAtMs) {
        reading ??= refresh();
        await reading;
      }
      return { addresses: table.get(name.toLowerCase()) ?? [], expiresAtMs };
    },
  };
}

/** hosts(5): an address, then its names; `#` begins a comment. A name on several lines has all their addresses. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const table = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [first = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const address = canonicalAddress(first);
    if (address === null) continue;
    for (const name of names.map((each) => each.toLowerCase().replace(/\.$/, ''))) {
      const known = table.get(name) ?? [];
      if (!known.includes(address)) table.set(name, [...known, address]);
    }
  }
  return table;
}
