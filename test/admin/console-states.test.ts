import type { EngineReport } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import type { Browser, Locator, Page } from 'playwright-core';
import { fakeGateway, openListening, recipientEvent, reportOfOne, TOKEN } from '../support/admin.ts';
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

const LONG = 'a.very.long.local.part.of.an.address@subdomain.of.some.department.example.com';
const SERVERS = [
  'ex1.corp.example:25',
  'ex2.corp.example:25',
  'ex3.corp.example:25',
  '[2001:db8:1234:5678:9abc:def0:1234:5678]:2525',
  'a-very-long-name-of-a-mail-server.subdomain.department.example.org:25',
] as const;
const [WELL, ALONE, TRIED, CATCH_ALL, SUSPENDED] = SERVERS;

let browser: Browser;

test.before(async () => {
  buildConsole();
  browser = await openBrowser();
});

test.after.always(() => browser?.close());

/** Servers in every state that there is. */
function reportOfStates(): EngineReport {
  const report = reportOfOne();
  const [loan] = report.loans;
  if (loan === undefined) throw new Error('it has no server');
  return {
    ...report,
    loans: SERVERS.map((server) => {
      if (server === ALONE) return { ...loan, server, breaker: 'open', leftAloneMs: 95_500 };
      return { ...loan, server, breaker: server === TRIED ? 'half-open' : 'closed', leftAloneMs: 0, maximum: 40 };
    }),
  };
}

function reportOfMany(count: number): EngineReport {
  const report = reportOfOne();
  const names = [...Array(count).keys()].map((place) => `mx${place}.example.com:25`);
  return {
    ...report,
    loans: names.flatMap((server) => report.loans.map((loan) => ({ ...loan, server, breaker: 'closed' as const }))),
    totals: {
      ...report.totals,
      servers: names.flatMap((server) => report.totals.servers.map((total) => ({ ...total, server }))),
    },
  };
}

async function serve(t: ExecutionContext, report: EngineReport) {
  const canary = { profile: 'corp', suspended: false, catchAll: false, reply: '' };
  const { admin, at } = await openListening(
    t,
    fakeGateway({
      report: async () => report,
      canaries: () => [
        { ...canary, server: CATCH_ALL, catchAll: true },
        { ...canary, server: SUSPENDED, suspended: true, reply: '550 5.1.1 No such user' },
      ],
    }),
  );
  return { admin, url: `http://${at}/#token=${TOKEN}` };
}

/** What is drawn outside of the window, as it says. */
function cutOff(page: Page): Promise<readonly string[]> {
  return page.evaluate(`[...document.querySelectorAll('.badge, .button, dialog *, th, td')]
    .filter((element) => element.checkVisibility() && element.closest('.unseen, thead') === null)
    .filter((element) => {
      const { left, right } = element.getBoundingClientRect();
      return left < 0 || right > innerWidth || element.scrollWidth > element.clientWidth + 1;
    })
    .map((element) => element.textContent)`);
}

function row(page: Page, server: string): Locator {
  return page.getByRole('row').filter({ has: page.getByRole('link', { name: server, exact: true }) });
}

for (const [screen, viewport] of [
  ['desktop', DESKTOP],
  ['phone', PHONE],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.serial(`what is wrong with a server stands beside it: ${screen}, ${colorScheme}`, async (t) => {
      const { admin, url } = await serve(t, reportOfStates());
      const crossing = { event: 'dhap.blocked', listener: 'inbound', group: 'others', policy: 'accepted' } as const;
      for (const client of ['203.0.113.7', '2001:db8:1234:5678:9abc:def0:1234:5678', '203.0.113.7'])
        admin.observe({ ...crossing, client, count: 25, samples: [LONG], until: '2026-11-24T01:00:00.000Z' });
      const { page, faults } = await openPage(t, browser, url, { viewport, colorScheme });
      for (const [server, state] of [
        [WELL, 'in use'],
        [ALONE, 'left alone for 1 min 36 s'],
        [TRIED, 'being tried again'],
        [CATCH_ALL, 'accepts everybody'],
        [SUSPENDED, 'rejections suspended'],
      ] as const)
        await row(page, server).getByText(state).waitFor();
      const last = page.getByRole('region', { name: 'Servers' }).getByRole('row').last();
      t.regex((await last.textContent()) ?? '', /^ex1\.corp/, 'what is well comes last');
      await takePicture(page, `servers-${screen}-${colorScheme}`);
      t.deepEqual(await barriers(page), []);
      t.deepEqual(await cutOff(page), []);
      t.true((await overhang(page)) <= 0);
      t.deepEqual(faults, []);
    });
  }
}

test.serial('a question about a long address keeps its buttons on a small screen', async (t) => {
  const { url } = await serve(t, reportOfOne());
  const { page } = await openPage(t, browser, url, { viewport: PHONE });
  await goTo(page, 'Cache');
  await page.getByLabel('Recipient').first().fill(LONG);
  await page.getByRole('button', { name: 'Look up' }).click();
  await page.getByRole('button', { name: `Forget ${LONG}` }).click();
  await page.getByRole('dialog').waitFor();
  t.deepEqual(await cutOff(page), []);
  await takePicture(page, 'question-phone-light');
});

test.serial('two hundred servers and a thousand recipients are a page that can be drawn every second', async (t) => {
  const { admin, url } = await serve(t, reportOfMany(200));
  for (let i = 0; i < 1_000; i++) admin.observe(recipientEvent({ recipient: `user${i}@example.com` }));
  const { page } = await openPage(t, browser, url);
  const size = (): Promise<number> => page.evaluate('document.querySelectorAll("*").length');
  await page.getByRole('button', { name: 'Show more of 200' }).waitFor();
  t.is(await page.getByRole('link', { name: /^mx\d/ }).count(), 25);
  t.true((await size()) < 1_500, String(await size()));
  await page.getByRole('button', { name: 'Show more of 200' }).click();
  await page.getByRole('link', { name: /^mx/ }).nth(49).waitFor();
  await goTo(page, 'Recipients');
  await page.getByRole('link', { name: 'Explain user999@example.com' }).waitFor();
  await page.getByRole('button', { name: 'Show more of 1,000' }).waitFor();
  t.is(await page.getByRole('link', { name: /^Explain user/ }).count(), 100);
  t.true((await size()) < 3_500, String(await size()));
  await page.getByRole('button', { name: 'Show more of 1,000' }).click();
  await page.getByText('Pause to see all 1,000.').waitFor();
  t.is(await page.getByRole('link', { name: /^Explain user/ }).count(), 200);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Show more of 1,000' }).click();
  await page.getByRole('link', { name: 'Explain user700@example.com' }).waitFor();
});
