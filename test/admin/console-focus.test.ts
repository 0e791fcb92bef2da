import test from 'ava';
import type { Browser, Page } from 'playwright-core';
import { fakeGateway, openListening, TOKEN } from '../support/admin.ts';
import { buildConsole, goTo, openBrowser, openPage } from '../support/console.ts';

let browser: Browser;

test.before(async () => {
  buildConsole();
  browser = await openBrowser();
});

test.after.always(() => browser?.close());

/** What has the focus, as it is called. */
function focused(page: Page): Promise<string> {
  return page.evaluate(`(({ tagName, labels, textContent }) =>
    tagName + ' ' + (labels?.[0]?.textContent ?? textContent.trim()).slice(0, 40))(document.activeElement)`);
}

test.serial('who signs in by keyboard goes on from where that leads', async (t) => {
  const { at } = await openListening(t);
  const { page } = await openPage(t, browser, `http://${at}/`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  t.is(await focused(page), 'INPUT Token');
  await page.keyboard.type('something-else-entirely');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  t.is(await focused(page), 'INPUT Token');
  await page.keyboard.type(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByText('live', { exact: true }).waitFor();
  t.is(await focused(page), 'H1 Overview');
});

test.serial('a button that waits for its answer keeps the focus', async (t) => {
  const { at } = await openListening(t);
  const { page } = await openPage(t, browser, `http://${at}/#token=${TOKEN}`);
  await goTo(page, 'Configuration');
  await page.getByRole('button', { name: 'Reload…' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('The file is at work').waitFor();
  t.is(await focused(page), 'BUTTON Reload…');

  await goTo(page, 'Explain');
  await page.getByLabel('Recipient').fill('ann@example.com');
  await page.getByRole('button', { name: 'Explain' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'The way it took' }).waitFor();
  t.is(await focused(page), 'BUTTON Explain');
  t.is(await page.getByText(/ gets 250 /).textContent(), 'ann@example.com gets 250 2.1.5 Recipient ok');
});

test.serial('a button that goes with what it forgot leaves the focus with what is told of that', async (t) => {
  const entries = fakeGateway().operations.lookup;
  let isForgotten = false;
  const gateway = fakeGateway({
    lookup: async (recipient) => (isForgotten ? [] : entries(recipient)),
    async flush() {
      isForgotten = true;
      return 1;
    },
  });
  const { at } = await openListening(t, gateway);
  const { page } = await openPage(t, browser, `http://${at}/#token=${TOKEN}`);
  await goTo(page, 'Cache');
  await page.getByLabel('Recipient').first().fill('ann@example.com');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Forget ann@example.com' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('No cache holds anything').waitFor();
  await page.locator('.done:focus').waitFor();
  t.is(await focused(page), 'P 1 verdict forgotten. Who comes next is a');
});

test.serial('what several places have is called by where it is', async (t) => {
  const { at } = await openListening(t);
  const { page } = await openPage(t, browser, `http://${at}/#token=${TOKEN}`);
  await page.locator('summary').first().waitFor();
  t.deepEqual(await page.locator('summary').allTextContents(), [
    'Figures of Verdicts',
    'Figures of Time to a verdict',
    'Figures of Answered from the cache',
    'Figures of Sessions and messages',
  ]);
  await goTo(page, 'Configuration');
  await page.getByRole('listitem').getByText('hostname mx1.gateway.example').waitFor();
});
