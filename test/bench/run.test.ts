import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { finish } from '../support/debian.ts';

const BENCH = join(import.meta.dirname, '..', '..', 'bench');

test('each bench states its question, and how long the answer takes', async (t) => {
  const { code, output } = await finish(process.execPath, [join(BENCH, 'run.ts'), 'list']);
  t.is(code, 0, output);
  const benches = readdirSync(BENCH).filter((file) => file.endsWith('.bench.ts'));
  const lines = output.trim().split('\n');
  t.is(lines.length, benches.length);
  for (const line of lines) t.regex(line, /^[a-z]+ +[A-Z].+\? \(\d+ s\)$/);
});

test('a bench that there is not is wrong usage', async (t) => {
  const { code, output } = await finish(process.execPath, [join(BENCH, 'run.ts'), 'nothing']);
  t.is(code, 2);
  t.regex(output, /no bench nothing; there are\n/);
});
