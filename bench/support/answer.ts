/** Where a bench puts its answer: on the screen and, with `--save`, into bench/results/ and the pages that show it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machine } from './machine.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RESULTS = `${ROOT}bench/results/`;
/** A section of them stands between `<!-- bench NAME -->` and `<!-- end of NAME -->`. */
const PAGES = ['bench/README.md', 'docs/performance.md'];

/** Prints an answer in Markdown. `files` are further files that belong to it, by their names. */
export function answer(bench: string, markdown: string, files: Readonly<Record<string, string>> = {}): void {
  const text = `${machine()}\n\n${markdown.trim()}\n`;
  process.stdout.write(`\n${text}\n`);
  if (!process.argv.includes('--save')) return;
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}${bench}.md`, text);
  for (const [name, content] of Object.entries(files)) writeFileSync(`${RESULTS}${name}`, content);
  for (const page of PAGES) {
    const path = `${ROOT}${page}`;
    writeFileSync(path, replaceSection(readFileSync(path, 'utf8'), bench, text));
  }
}

/** Puts a text between the marks of a bench, if the page has them. */
export function replaceSection(page: string, bench: string, text: string): string {
  const [open, close] = [`<!-- bench ${bench} -->`, `<!-- end of ${bench} -->`];
  const from = page.indexOf(open);
  const to = page.indexOf(close);
  if (from < 0 || to < from) return page;
  return `${page.slice(0, from + open.length)}\n${text}${page.slice(to)}`;
}

/** A word on the way to the answer, for who waits. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
