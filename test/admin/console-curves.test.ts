import test, { type ExecutionContext } from 'ava';
import type { Browser, Page } from 'playwright-core';
import { openListening, recipientEvent, TOKEN } from '../support/admin.ts';
import { buildConsole, openBrowser, openPage } from '../support/console.ts';
import { openCuttable } from '../support/cuttable.ts';
import { until } from '../support/until.ts';

let browser: Browser;

test.before(async () => {
  buildConsole();
  browser = await openBrowser();
});

test.after.always(() => browser?.close());

/** A console whose gateway has refused somebody, and does nothing any more. */
async function serve(t: ExecutionContext) {
  const { admin, at } = await openListening(t);
  for (let i = 0; i < 50; i++) admin.observe(recipientEvent());
  return at;
}

/** Waits until so many readings were taken, and tells how many. */
async function readingsAt(at: string, least = 1): Promise<number> {
  const gone = new AbortController();
  const { body } = await fetch(`http://${at}/api/v1/events`, {
    headers: { authorization: `Bearer ${TOKEN}` },
    signal: gone.signal,
  });
  let text = '';
  for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    const last = [...text.matchAll(/"id":(\d+),"at"/g)].at(-1);
    if (Number(last?.[1] ?? 0) < least) continue;
    gone.abort();
    return Number(last?.[1]);
  }
  throw new Error('the stream ended');
}

/** The points of the curve in the first tile, and how many lines they make. */
async function trend(page: Page): Promise<Readonly<{ points: number; lines: number }>> {
  const path = (await page.locator('.trend path').first().getAttribute('d')) ?? '';
  return { points: path.match(/[ML]/g)?.length ?? 0, lines: path.match(/M/g)?.length ?? 0 };
}

test.serial('a page that is opened late shows what led to it', async (t) => {
  const at = await serve(t);
  const taken = await readingsAt(at, 4);
  const { page, faults } = await openPage(t, browser, `http://${at}/#token=${TOKEN}`);
  await page.locator('.trend').first().waitFor();
  const { points } = await trend(page);
  // Before the first one nothing is known of a rate.
  t.true(points >= taken - 1, `${points} points of ${taken} readings`);
  const verdicts = page.getByRole('figure', { name: 'Verdicts' });
  await verdicts.locator('summary').click();
  const most = await verdicts
    .getByRole('row', { name: /^unknown/ })
    .getByRole('cell')
    .last()
    .textContent();
  t.true(Number(most) > 5, `unknown at most ${most}`);
  t.deepEqual(faults, []);
});

test.serial('curves go on where they were cut off, and no point is drawn twice', async (t) => {
  const at = await serve(t);
  const way = await openCuttable(at);
  t.teardown(way.cut);
  const { page } = await openPage(t, browser, `http://${way.at}/#token=${TOKEN}`);
  await page.locator('.trend').first().waitFor();
  await until(async () => (await trend(page)).points >= 2);
  await way.cut();
  await page.getByText('disconnected', { exact: true }).waitFor();
  const before = await readingsAt(at);
  // Longer than a line is drawn through.
  const missed = await readingsAt(at, before + 7);
  await way.mend();
  await page.getByRole('button', { name: 'Try now' }).click();
  await page.getByText('live', { exact: true }).waitFor();
  await until(async () => (await trend(page)).points >= missed);
  const { points, lines } = await trend(page);
  t.is(lines, 1);
  t.true(points < (await readingsAt(at)), `${points} points`);
});
