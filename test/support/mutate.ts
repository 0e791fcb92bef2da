/** Octets made worse: what a broken client, a broken network or somebody with patience may send. */
import { pick } from './seeded.ts';

type Mutation = (octets: Buffer, random: () => number) => Buffer;

const INSERTED: readonly Buffer[] = [
  ...[
    '\0',
    '\r',
    '\n',
    '\n\r',
    '\r\n',
    '\r\r\n',
    '\r\n.\r\n',
    '\n.\n',
    '.',
    ' ',
    '<',
    '>',
    '"',
    ':',
    '\xff\xfe',
    '\xc3',
  ],
  'x'.repeat(1_100),
  'x'.repeat(20_000),
  '\0'.repeat(3_000),
  '\xe2\x80\xa8'.repeat(700),
  'RCPT TO:<known@example.com>\r\n'.repeat(150),
].map((text) => Buffer.from(text, 'latin1'));

const MUTATIONS: readonly Mutation[] = [
  (octets, random) => {
    const at = Math.floor(random() * octets.length);
    return octets.map((octet, i) => (i === at ? octet ^ (1 << Math.floor(random() * 8)) : octet)) as Buffer;
  },
  (octets, random) => octets.subarray(0, Math.floor(random() * octets.length)),
  (octets, random) => octets.subarray(Math.floor(random() * octets.length)),
  (octets, random) => {
    const [from, to, at] = [random(), random(), random()].map((part) => Math.floor(part * octets.length));
    return Buffer.concat([octets.subarray(0, at), octets.subarray(from, to), octets.subarray(at)]);
  },
  (octets, random) => {
    const [from = 0, to = 0] = [random(), random()].map((part) => Math.floor(part * octets.length));
    return Buffer.concat([octets.subarray(0, Math.min(from, to)), octets.subarray(Math.max(from, to))]);
  },
  (octets, random) => {
    const at = Math.floor(random() * octets.length);
    return Buffer.concat([octets.subarray(0, at), pick(random, INSERTED), octets.subarray(at)]);
  },
  (octets, random) => {
    const at = Math.floor(random() * octets.length);
    const noise = Buffer.from(Array.from({ length: 40 }, () => Math.floor(random() * 256)));
    return Buffer.concat([octets.subarray(0, at), noise, octets.subarray(at)]);
  },
];

/** One to four mutations, the same ones for the same numbers. */
export function mutate(octets: Buffer, random: () => number): Buffer {
  let worse = octets;
  for (let left = 1 + Math.floor(random() * 4); left > 0; left--) worse = pick(random, MUTATIONS)(worse, random);
  return worse;
}
