import test, { type ExecutionContext } from 'ava';
import type { Browser } from 'playwright-core';
import {
  barriers,
  buildConsole,
  DESKTOP,
  goTo,
  openBrowser,
  openPage,
  overhang,
  PHONE,
  takePicture,
} from '../support/console.ts';
import { openCuttable } from '../support/cuttable.ts';
import { openSession } from '../support/dialogue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';

const TOKEN = 'correct-horse-battery';

// One after another: a browser, a gateway and its threads want a machine of two cores for themselves.
let browser: Browser;

test.before(async () => {
  buildConsole();
  browser = await openBrowser();
});

test.after.always(() => browser?.close());

/** A gateway with a console before a server that knows two users, which has been asked already. */
async function serve(t: ExecutionContext, admin: Readonly<Record<string, unknown>> = { token: TOKEN }) {
  const server = await startFakeServer({ users: ['ann@example.com', 'bob@example.com'] });
  t.teardown(server.stop);
  const file = { ...before(server.at), admin: { listen: '127.0.0.1:0', ...admin } };
  const gateway = await startGateway(file);
  t.teardown(() => gateway.stop());
  await send(t, gateway, 'ann', 'bob', 'ann', 'nobody', 'nobody', 'info');
  return {
    server,
    gateway,
    file,
    url: `http://${gateway.admin}/`,
    signedIn: `http://${gateway.admin}/#token=${TOKEN}`,
  };
}

async function send(t: ExecutionContext, gateway: RunningGateway, ...users: readonly string[]): Promise<void> {
  const rcpts = users.map((user) => `RCPT TO:<${user}@example.com>`);
  await openSession(t, gateway.port('inbound'), 'EHLO client.example', 'MAIL FROM:<s@client.example>', ...rcpts);
}

for (const [screen, viewport] of [
  ['desktop', DESKTOP],
  ['phone', PHONE],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.serial(
      `every view has no barrier, fits the screen and keeps to its policy: ${screen}, ${colorScheme}`,
      async (t) => {
        const { signedIn } = await serve(t);
        const { page, faults } = await openPage(t, browser, signedIn, { viewport, colorScheme });
        const look = async (name: string): Promise<void> => {
          await takePicture(page, `${name}-${screen}-${colorScheme}`);
          t.deepEqual(await barriers(page), [], name);
          t.true((await overhang(page)) <= 0, `${name} is wider than the screen`);
        };

        await page
          .getByRole('row', { name: /127\.0\.0\.1/ })
          .first()
          .waitFor();
        await page.getByText('in use').waitFor();
        await look('overview');
        await goTo(page, 'Recipients');
        await page
          .getByRole('row', { name: /nobody@example\.com/ })
          .first()
          .waitFor();
        await look('recipients');
        await page.getByRole('link', { name: 'Explain nobody@example.com' }).first().click();
        await page.getByRole('heading', { name: 'The way it took' }).waitFor();
        await look('explain');
        await goTo(page, 'Cache');
        await page.getByLabel('Recipient').first().fill('nobody@example.com');
        await page.getByRole('button', { name: 'Look up' }).click();
        await page.getByRole('button', { name: 'Forget nobody@example.com' }).click();
        await page.getByRole('dialog').waitFor();
        await look('cache');
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        await goTo(page, 'Configuration');
        await page.getByText('hidden').waitFor();
        t.false((await page.content()).includes(TOKEN));
        await look('configuration');
        t.deepEqual(faults, []);
      },
    );
  }
}

test.serial('what a sender does is seen as it happens', async (t) => {
  const { gateway, signedIn } = await serve(t);
  const { page, faults } = await openPage(t, browser, signedIn);
  await page.getByText('live', { exact: true }).waitFor();
  await goTo(page, 'Recipients');
  await page.getByRole('row').nth(1).waitFor();
  await send(t, gateway, 'late-comer');
  await page.getByRole('row', { name: /late-comer@example\.com .*550 rejected/ }).waitFor();
  await goTo(page, 'Overview');
  await page.getByRole('definition').filter({ hasText: '7 since the start' }).waitFor();
  t.deepEqual(faults, []);
});

test.serial('recipients are filtered by what they are, and held still by a pause', async (t) => {
  const { gateway, signedIn } = await serve(t);
  const { page } = await openPage(t, browser, signedIn);
  await goTo(page, 'Recipients');
  const rows = page.locator('tbody tr');
  await rows.nth(5).waitFor();
  await page.getByLabel('Recipient').fill('NOB');
  t.is(await rows.count(), 2);
  await page.getByLabel('Recipient').fill('');
  await page.getByLabel('Outcome').selectOption('accepted');
  t.is(await rows.count(), 3);
  await page.getByLabel('Verdict').selectOption('unknown');
  await page.getByText('None of the last recipients is like that').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  t.is(await rows.count(), 6);

  await page.getByRole('button', { name: 'Pause' }).click();
  await send(t, gateway, 'late-comer');
  await page.getByText('Paused; 1 more recipient since.').waitFor();
  t.is(await rows.count(), 6);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('row', { name: /late-comer/ }).waitFor();
});

test.serial('a recipient is explained by its steps and the line that decided', async (t) => {
  const { server, signedIn } = await serve(t);
  const { page } = await openPage(t, browser, signedIn);
  await goTo(page, 'Explain');
  await page.getByLabel('Recipient').fill('stranger@example.com');
  await page.keyboard.press('Enter');
  await page
    .getByRole('region', { name: 'Reply' })
    .getByText(/^550 5\.1\.1 /)
    .first()
    .waitFor();
  t.true(server.asked.includes('stranger@example.com'));
  const decisive = page.locator('.decisive');
  t.regex((await decisive.textContent()) ?? '', /^S: 550 /);
  t.is(await decisive.count(), 1);
  for (const step of ['Recipient access', 'Static servers', 'Server', 'Reply'])
    t.true(await page.getByRole('heading', { name: step, exact: false }).first().isVisible(), step);

  await page.getByLabel('Recipient').fill('no address');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page
    .getByRole('region', { name: 'Reply' })
    .getByText(/^5\d\d /)
    .waitFor();
});

test.serial('a cached verdict is looked up, and forgotten only once that is confirmed', async (t) => {
  const { signedIn } = await serve(t);
  const { page } = await openPage(t, browser, signedIn);
  await goTo(page, 'Cache');
  await page.getByLabel('Recipient').first().fill('nobody@example.com');
  await page.getByRole('button', { name: 'Look up' }).click();
  const forget = page.getByRole('button', { name: 'Forget nobody@example.com' });
  await forget.click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  t.true(await forget.isVisible());
  await forget.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click();
  await page.getByText('1 verdict forgotten.').waitFor();
  await page.getByText('No cache holds anything about nobody@example.com').waitFor();

  await page.getByLabel('Everything').check();
  await page.getByRole('button', { name: 'Forget…' }).click();
  await page.getByText('every verdict that it knows').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click();
  await page.getByText('3 verdicts forgotten.').waitFor();
});

test.serial('the file is put to work by a button, and its mistakes are told', async (t) => {
  const { gateway, file, signedIn } = await serve(t);
  const { page } = await openPage(t, browser, signedIn);
  await goTo(page, 'Configuration');
  const reload = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Reload…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reload' }).click();
  };
  await gateway.configure({ ...file, hostname: 'mx2.gateway.example' });
  await reload();
  await page.getByText('It is configuration 2 since the start').waitFor();
  await page.getByText('mx2.gateway.example').last().waitFor();
  await gateway.configure({ ...file, hostname: '' });
  await reload();
  const refusal = page.getByRole('alert').getByText(/hostname/);
  await refusal.waitFor();
  t.regex((await refusal.textContent()) ?? '', /hostname/);
  t.true(await page.getByText('mx2.gateway.example').last().isVisible(), 'the bad file changed nothing');
});

test.serial('who has no token is asked for it, and a wrong one is not taken', async (t) => {
  const { url } = await serve(t);
  const { page, faults } = await openPage(t, browser, url);
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  t.is(await page.getByRole('navigation').count(), 0);
  t.deepEqual(await barriers(page), []);
  await takePicture(page, 'sign-in-desktop-light');
  await page.getByLabel('Token').fill('something-else-entirely');
  await page.keyboard.press('Enter');
  await page.getByText('The gateway does not take this token.').waitFor();
  await page.getByLabel('Token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByText('live', { exact: true }).waitFor();
  await page.reload();
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Forget the token' }).click();
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  t.deepEqual(faults, []);
});

test.serial('a token in the address is taken and wiped out of it', async (t) => {
  const { signedIn, url } = await serve(t);
  const { page } = await openPage(t, browser, signedIn);
  await page.getByText('live', { exact: true }).waitFor();
  t.is(page.url(), url);
});

test.serial('without a token of its own the gateway is shown, and says what that keeps one from', async (t) => {
  const { url } = await serve(t, {});
  const { page } = await openPage(t, browser, url);
  await page.getByText('live', { exact: true }).waitFor();
  await goTo(page, 'Explain');
  await page.getByLabel('Recipient').fill('ann@example.com');
  await page.keyboard.press('Enter');
  const refusal = page.getByRole('alert').getByText(/Not allowed/);
  await refusal.waitFor();
  t.regex((await refusal.textContent()) ?? '', /Not allowed: .*tokenFile/);
});

test.serial('a page that loses its gateway says so, keeps what it knew, and comes back by itself', async (t) => {
  const { gateway } = await serve(t);
  const way = await openCuttable(gateway.admin);
  t.teardown(way.cut);
  const { page, faults } = await openPage(t, browser, `http://${way.at}/#token=${TOKEN}`);
  await page.getByText('live', { exact: true }).waitFor();
  await way.cut();
  await page
    .getByRole('alert')
    .getByText(/Disconnected/)
    .waitFor();
  t.deepEqual(await barriers(page), []);
  await takePicture(page, 'disconnected-desktop-light');
  t.true(await page.getByRole('heading', { name: 'Servers' }).isVisible());
  await way.mend();
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('alert').waitFor({ state: 'detached' });
  await send(t, gateway, 'late-comer');
  await goTo(page, 'Recipients');
  await page.getByRole('row', { name: /late-comer/ }).waitFor();
  t.deepEqual(faults, []);
});

test.serial('all of it can be done by keyboard, and no place keeps the focus', async (t) => {
  const { signedIn } = await serve(t);
  const { page } = await openPage(t, browser, signedIn);
  await page.getByText('live', { exact: true }).waitFor();
  const focused = (): Promise<string> =>
    page.evaluate('document.activeElement.textContent.trim() || document.activeElement.ariaLabel');
  const press = async (key: string, times = 1): Promise<void> => {
    for (let i = 0; i < times; i++) await page.keyboard.press(key);
  };
  await press('Tab');
  t.is(await focused(), 'Skip to the content');
  await press('Enter');
  t.is(await focused(), 'Overview');

  await page.getByRole('link', { name: 'Cache' }).focus();
  await press('Enter');
  await page.locator('h1:focus').getByText('Cache').waitFor();
  await press('Tab');
  await page.keyboard.type('nobody@example.com');
  await press('Enter');
  await page.getByRole('button', { name: 'Forget nobody@example.com' }).waitFor();
  await press('Tab', 2);
  t.is(await page.evaluate('document.activeElement.ariaLabel'), 'Forget nobody@example.com');
  await press('Enter');
  await page.getByRole('dialog').waitFor();
  // The dialogue keeps the focus while it is open, and gives it back.
  await press('Tab', 5);
  t.true(
    await page.evaluate(
      'document.activeElement === document.body || document.activeElement.closest("dialog") !== null',
    ),
  );
  await press('Escape');
  // The page is drawn anew before the focus is given back.
  await page.locator('[aria-label="Forget nobody@example.com"]:focus').waitFor();

  // Round the whole page: every stop is another one until it begins again.
  const stops = new Set<string>();
  for (let i = 0; i < 40; i++) {
    await press('Tab');
    stops.add(await page.evaluate('document.activeElement.outerHTML.slice(0, 200)'));
  }
  t.true(stops.size >= 14, [...stops].join('\n'));
});

test.serial('the colours are the system’s until one chooses', async (t) => {
  const { signedIn } = await serve(t);
  const { page } = await openPage(t, browser, signedIn, { colorScheme: 'dark' });
  const scheme = (): Promise<string> => page.evaluate('document.documentElement.dataset.scheme');
  await page.getByText('live', { exact: true }).waitFor();
  t.is(await scheme(), 'dark');
  await page.getByRole('button', { name: /^Colours/ }).click();
  t.is(await scheme(), 'light');
  await page.reload();
  await page.getByText('live', { exact: true }).waitFor();
  t.is(await scheme(), 'light');
});
