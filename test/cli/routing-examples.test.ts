import { readFile } from 'node:fs/promises';
import test from 'ava';
import { EXAMPLES_HEADING, routingExamples } from '../support/routing-examples.ts';

test('the worked examples of docs/routing.md are what callahead explain says (npm run reference writes them)', async (t) => {
  const page = await readFile(new URL('../../docs/routing.md', import.meta.url), 'utf8');
  const [, written] = page.split(EXAMPLES_HEADING);
  t.is(written, await routingExamples());
});
