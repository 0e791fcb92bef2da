import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { secretOf } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { BEARER, fakeGateway, openApp, TOKEN } from '../support/admin.ts';
import { temporaryFolder } from '../support/debian.ts';

async function serve(t: ExecutionContext, files: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder('page');
  t.teardown(folder.remove);
  await mkdir(join(folder.path, 'assets'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
  // A token is configured, and nobody here gives it: the page's own files hold no data (SPEC 10.4).
  return openApp(t, fakeGateway(), secretOf(TOKEN), folder.path).app;
}

test('the page is asked about each time, what it names is kept for ever', async (t) => {
  const app = await serve(t, { 'index.html': '<p>page', 'assets/index-1a2b.js': 'script()' });
  const page = await app.inject('/');
  t.is(page.body, '<p>page');
  t.like(page.headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
  const script = await app.inject('/assets/index-1a2b.js');
  t.is(script.body, 'script()');
  t.like(script.headers, {
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
  });
});

test('who takes gzip gets it', async (t) => {
  const app = await serve(t, { 'index.html': '<p>page' });
  const { headers, rawPayload } = await app.inject({ url: '/', headers: { 'accept-encoding': 'gzip, br' } });
  t.is(headers['content-encoding'], 'gzip');
  t.is(gunzipSync(rawPayload).toString(), '<p>page');
});

test('who declines gzip does not get it', async (t) => {
  const app = await serve(t, { 'index.html': '<p>page' });
  for (const accepted of ['gzip;q=0, br', 'br, gzip; q=0.000', 'identity', '']) {
    const { headers, body } = await app.inject({ url: '/', headers: { 'accept-encoding': accepted } });
    t.is(headers['content-encoding'], undefined, accepted);
    t.is(body, '<p>page', accepted);
  }
  const { headers } = await app.inject({ url: '/', headers: { 'accept-encoding': 'br;q=0, GZIP;q=0.5' } });
  t.is(headers['content-encoding'], 'gzip');
});

test('what was not built, or is of no kind that a page needs, is not there', async (t) => {
  const app = await serve(t, { 'assets/notes.txt': 'secret' });
  const page = await app.inject('/');
  t.regex(page.body, /npm run build/);
  for (const path of ['/assets/notes.txt', '/assets/../../package.json', '/assets/%2e%2e/%2e%2e/package.json'])
    t.is((await app.inject({ url: path, headers: BEARER })).statusCode, 404, path);
});
