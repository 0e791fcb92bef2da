/** `npm run bench` runs all benches and writes down their answers; `npm run bench -- NAME [--save]` runs one; `npm run bench -- list` lists them. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

type Bench = Readonly<{ name: string; question: string; seconds: number }>;

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const benches = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => describe(file.replace('.bench.ts', '')))
  // The table that matters most comes first.
  .toSorted((a, b) => Number(b.name === 'rcpt') - Number(a.name === 'rcpt'));

const [name, ...options] = process.argv.slice(2);
process.exitCode = main();

function main(): number {
  if (name === undefined) return runAll();
  if (benches.some((bench) => bench.name === name)) return run(name, options);
  if (name !== 'list') process.stderr.write(`no bench ${name}; there are\n`);
  for (const bench of benches) {
    process.stdout.write(`${bench.name.padEnd(14)} ${bench.question} (${bench.seconds} s)\n`);
  }
  return name === 'list' ? 0 : 2;
}

function runAll(): number {
  const minutes = Math.ceil(benches.reduce((sum, { seconds }) => sum + seconds, 0) / 60);
  process.stdout.write(`${benches.length} benches, about ${minutes} minutes; leave the machine alone meanwhile\n`);
  const failed = benches.filter((bench) => {
    process.stdout.write(`\n${bench.name}: ${bench.question}\n`);
    return run(bench.name, ['--save']) !== 0;
  });
  for (const bench of failed) process.stderr.write(`${bench.name} failed; what bench/results/ has of it is old\n`);
  return failed.length === 0 ? 0 : 1;
}

function run(bench: string, args: readonly string[]): number {
  return spawnSync(process.execPath, [`${FOLDER}${bench}.bench.ts`, ...args], { stdio: 'inherit' }).status ?? 1;
}

/** The first line of a bench says what it asks and how long that takes. */
function describe(bench: string): Bench {
  const [line = ''] = readFileSync(`${FOLDER}${bench}.bench.ts`, 'utf8').split('\n', 1);
  const [, question, seconds] = /^\/\*\* (.+\?) \((\d+) s\) \*\/$/.exec(line) ?? [];
  if (question === undefined) throw new Error(`${bench}.bench.ts begins with /** a question? (so many s) */`);
  return { name: bench, question, seconds: Number(seconds) };
}
