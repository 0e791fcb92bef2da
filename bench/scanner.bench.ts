/** What does a megabyte of a message cost the scanner that looks for its end, for ordinary text and for the worst that a client can send? (20 s) */
import { createDataScanner } from '../packages/listener/src/smtp/data.ts';
import { answer } from './support/answer.ts';
import { figure, median } from './support/statistics.ts';

const MEGABYTES = 2;
const ROUNDS = 15;
const READ_OCTETS = 65_536; // as a socket reads
const PASSES = 8;

const HEADER = 'Received: from a.example by b.example; Mon, 1 Jan 2024 00:00:00 +0000\r\nSubject: bench\r\n\r\n';

const rows: readonly Readonly<{ name: string; line: string; bareNewline?: 'normalize'; readOctets?: number }>[] = [
  {
    name: 'ordinary text, lines of 72',
    line: `${'The quick brown fox jumps over the lazy dog. '.repeat(2).slice(0, 72)}\r\n`,
  },
  { name: 'base64, lines of 76', line: `${'QUJDREVGR0hJSktM'.repeat(5).slice(0, 76)}\r\n` },
  { name: 'lines of 998', line: `${'x'.repeat(998)}\r\n` },
  { name: 'lines of 16 KB', line: `${'x'.repeat(16_384)}\r\n` },
  { name: 'lines of 64 KB, the longest', line: `${'x'.repeat(65_536)}\r\n` },
  { name: 'nothing but stuffed dots, `..`', line: '..\r\n' },
  { name: 'nothing but empty lines', line: '\r\n' },
  { name: 'NULs', line: `${'x\0'.repeat(36)}\r\n` },
  { name: 'bare line feeds, made CRLF', line: 'x\n', bareNewline: 'normalize' },
  { name: 'nothing but bare carriage returns, made CRLF', line: '\r', bareNewline: 'normalize' },
  { name: '`..`, in pieces of 100 octets', line: '..\r\n', readOctets: 100 },
];

// So that none of them is measured before the optimizer has seen the others.
for (const row of rows) measure(row, 1);
const ordinary = measure(rows[0] ?? { line: '' });
const out = ['| | CPU, ms a MB | times ordinary text |', '|---|---|---|'];
for (const row of rows) {
  const milliseconds = row === rows[0] ? ordinary : measure(row);
  out.push(`| ${row.name} | ${figure(milliseconds)} | ${figure(milliseconds / ordinary)} |`);
}
answer('scanner', out.join('\n'));

/** CPU milliseconds a megabyte, the median of the rounds. */
function measure(row: Omit<(typeof rows)[number], 'name'>, rounds = ROUNDS): number {
  const { line, bareNewline, readOctets = READ_OCTETS } = row;
  const body = line.repeat(Math.ceil((MEGABYTES * 1e6) / line.length));
  const message = Buffer.from(`${HEADER}${body}\r\n.\r\n`, 'latin1');
  const chunks: Buffer[] = [];
  for (let at = 0; at < message.length; at += readOctets) chunks.push(message.subarray(at, at + readOctets));
  const figures: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let pass = 0; pass < PASSES; pass++) scan(chunks, bareNewline ?? 'reject');
    const { user, system } = process.cpuUsage(before);
    figures.push((user + system) / 1000 / PASSES / (message.length / 1e6));
  }
  return median(figures);
}

function scan(chunks: readonly Buffer[], bareNewline: 'reject' | 'normalize'): void {
  const scanner = createDataScanner({ bareNewline, maxSize: 50_000_000, maxHops: 100 });
  for (const chunk of chunks) {
    const { end, violation } = scanner.push(chunk);
    if (violation !== null) throw new Error(violation.text);
    if (end) return;
  }
  throw new Error('the message has no end');
}
