/** The console in a real Chromium, before a whole gateway. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const ROOT = join(import.meta.dirname, '..', '..');
const CHROMIUM = '/usr/bin/chromium';
/** Where the pictures are, to be looked at. */
const PICTURES = join(ROOT, 'test', 'admin', 'screenshots');

export const DESKTOP = { width: 1280, height: 800 } as const;
/** A small one. */
export const PHONE = { width: 360, height: 740 } as const;

export type Watched = Readonly<{
  page: Page;
  /** What no page of ours may do: errors, violations of its policy, requests to elsewhere. */
  faults: readonly string[];
}>;

/** Builds the page where its sources have changed; `npm test` has done so already. */
export function buildConsole(): void {
  const script = "import { buildPage } from './scripts/page.mjs'; buildPage();";
  const built = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
}

export function openBrowser(): Promise<Browser> {
  // Its sandbox does not work as root, which tests may be; it sees nothing but our own page.
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}

/** A tab at `url`, closed when the test ends. */
export async function openPage(
  t: ExecutionContext,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...options });
  t.teardown(() => context.close());
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const faults: string[] = [];
  const { origin } = new URL(url);
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // A refused or broken request is told there too, and is what some tests are about.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:'))
      faults.push(`request: ${request.url()}`);
  });
  // Told as an error, which is a fault above. It runs in the page, whose types are not ours.
  await page.addInitScript(`addEventListener('securitypolicyviolation', (violation) =>
    reportError(new Error(violation.violatedDirective + ': ' + violation.blockedURI)))`);
  await page.goto(url);
  return { page, faults };
}

/** Writes a picture of the whole page. */
export async function takePicture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

/** To a view, by the navigation. */
export async function goTo(page: Page, view: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: view }).click();
  await page.getByRole('heading', { level: 1, name: view }).waitFor();
}

/** What axe finds wrong, one text each. */
export async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target + ': ' + failureSummary)))`);
}

/** How much wider than the window the page is. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
