/** `npm run bench -- NAME`: runs one bench, or lists them. Each file of this folder asks one question and prints one answer. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const benches = readdirSync(folder)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''));

const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !benches.includes(name)) {
  process.stdout.write(
    `${name === undefined ? '' : `no bench ${name}; `}npm run bench -- NAME, where NAME is one of\n`,
  );
  for (const bench of benches) process.stdout.write(`  ${bench.padEnd(12)} ${question(bench)}\n`);
  process.exit(name === undefined ? 0 : 2);
}
process.exit(spawnSync(process.execPath, [`${folder}${name}.bench.ts`, ...rest], { stdio: 'inherit' }).status ?? 1);

/** The first line of a bench says what it asks. */
function question(bench: string): string {
  return (
    readFileSync(`${folder}${bench}.bench.ts`, 'utf8')
      .split('\n', 1)[0]
      ?.replace(/^\/\*\* | \*\/$/g, '') ?? ''
  );
}
