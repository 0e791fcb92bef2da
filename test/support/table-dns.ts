/** The DNS as a table, for what is done with its answers. A name that is not in the table does not exist; one that is has no other records. */
import type { Answer, Dns } from '../../packages/routing/src/dns.ts';
import type { Lookup } from '../../packages/routing/src/resolved.ts';
import type { Us } from '../../packages/routing/src/targets.ts';

/** Keys are `A name`, `AAAA name` and `MX name`; MX records are written `10 mx.example`. */
export type Table = Record<string, readonly string[] | 'nxdomain' | 'servfail' | 'timeout' | 'busy' | 'never'>;

export const TABLE_TTL_MS = 60_000;
export const US: Us = { names: new Set(['gateway.example']), addresses: new Set(), sockets: [], machine: new Set() };

/** `asked` grows by every question. */
export function tableDns(table: Table, asked: string[] = []): Dns {
  return {
    look(type, name) {
      const question = `${type} ${name}`;
      asked.push(question);
      return answerOf(table, question, name);
    },
    forget: () => {},
    close: () => {},
  };
}

/** Looks up in the table, by a clock that stands at 0. `hosts`: what the machine's own table says. */
export function lookupIn(
  table: Table,
  over: Partial<Lookup> & Readonly<{ asked?: string[]; names?: Readonly<Record<string, readonly string[]>> }> = {},
): Lookup {
  const names = new Map(Object.entries(over.names ?? {}));
  return {
    dns: tableDns(table, over.asked),
    hosts: { lookup: async (name) => ({ addresses: names.get(name) ?? [], expiresAtMs: 5_000 }) },
    us: () => US,
    allowReserved: false,
    now: () => 0,
    random: () => 0.5,
    ...over,
  };
}

function answerOf(table: Table, question: string, name: string): Answer | Promise<Answer> {
  const told = table[question];
  if (told === undefined) {
    const exists = Object.keys(table).some((key) => key.endsWith(` ${name}`));
    return { kind: 'none', why: exists ? 'nodata' : 'nxdomain', expiresAtMs: TABLE_TTL_MS };
  }
  switch (told) {
    case 'never':
      return new Promise<Answer>(() => {});
    case 'nxdomain':
      return { kind: 'none', why: 'nxdomain', expiresAtMs: TABLE_TTL_MS };
    case 'servfail':
    case 'timeout':
    case 'busy':
      return { kind: 'failed', why: told, detail: `${told} for ${question}` };
  }
  const records = told.map((text) => {
    const [preference, value] = question.startsWith('MX ') ? text.split(' ') : ['0', text];
    return { preference: Number(preference), value: value ?? '' };
  });
  return { kind: 'found', records, expiresAtMs: TABLE_TTL_MS };
}
