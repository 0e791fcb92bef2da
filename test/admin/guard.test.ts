import { secretOf } from '@callahead/core';
import test from 'ava';
import { BEARER, fakeGateway, openApp, TOKEN } from '../support/admin.ts';

const ACTIONS = ['/api/v1/cache/flush', '/api/v1/verify', '/api/v1/explain', '/api/v1/reload'];
const READING = [
  '/metrics',
  '/api/v1/status',
  '/api/v1/verdicts',
  '/api/v1/cache?recipient=a@b.example',
  '/api/v1/configuration',
];

test('with a token everything but the health probes needs it', async (t) => {
  const { app, events } = openApp(t);
  const status = async (url: string, authorization: string) =>
    (await app.inject({ method: 'GET', url, headers: { authorization } })).statusCode;
  for (const url of [...READING, '/api/v1/events', '/nothing'])
    t.is(await status(url, 'Bearer wrong-horse-battery'), 401, url);
  for (const said of ['', 'Bearer', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, TOKEN]) {
    t.is(await status('/metrics', said), 401, said);
  }
  for (const url of READING) t.is(await status(url, BEARER.authorization), 200, url);
  for (const url of ['/healthz', '/readyz']) t.is(await status(url, ''), 200, url);
  t.like(events[0], { event: 'admin.refused', kind: 'unauthorized', path: '/metrics' });
  t.false(JSON.stringify(events).includes(TOKEN));
});

test('an answer that refuses says how to ask, and nothing of the token', async (t) => {
  const { app } = openApp(t);
  const refused = await app.inject({ method: 'GET', url: '/metrics', headers: { authorization: 'Bearer x' } });
  t.is(refused.headers['www-authenticate'], 'Bearer realm="callahead"');
  t.false(refused.body.includes(TOKEN));
  t.is(JSON.parse(refused.body).error.kind, 'unauthorized');
});

test('without a token reading is open and acting is not', async (t) => {
  const gateway = fakeGateway();
  const { get, post } = openApp(t, gateway, null);
  for (const url of READING) t.is((await get(url)).status, 200, url);
  for (const url of ACTIONS) t.like(await post(url, {}), { status: 403, json: { error: { kind: 'forbidden' } } }, url);
  t.deepEqual(gateway.asked, []);
});

test('without a token a web page that gives its own name our address reads nothing', async (t) => {
  const { get } = openApp(t, fakeGateway(), null);
  for (const host of ['evil.example:8025', 'evil.example', 'localhost.evil.example', '127.0.0.1.evil.example']) {
    t.is((await get('/api/v1/status', { host })).status, 403, host);
  }
  for (const host of ['localhost', 'localhost:8025', '127.0.0.1:8025', '[::1]:8025', '192.0.2.1']) {
    t.is((await get('/api/v1/status', { host })).status, 200, host);
  }
});

test('without a token a web page of another site keeps no stream open, and a link to here may be followed', async (t) => {
  const { get } = openApp(t, fakeGateway(), null);
  for (const site of ['cross-site', 'same-site']) {
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' };
    for (const url of [...READING, '/api/v1/events']) t.is((await get(url, headers)).status, 403, `${site} ${url}`);
    t.is((await get('/metrics', { ...headers, 'sec-fetch-mode': 'navigate' })).status, 200, site);
  }
  t.is((await get('/metrics', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' })).status, 200);
});

test('who is refused is logged without whom it asked about', async (t) => {
  const { app, events } = openApp(t);
  await app.inject({ method: 'GET', url: '/api/v1/cache?recipient=ann%40example.com' });
  t.like(events, [{ event: 'admin.refused', path: '/api/v1/cache', kind: 'unauthorized' }]);
  t.false(JSON.stringify(events).includes('ann'));
});

test('who asks again and again without a token does not fill the log', async (t) => {
  const { app, events, pass } = openApp(t);
  for (let i = 0; i < 30; i++) await app.inject({ method: 'GET', url: '/metrics' });
  t.is(events.length, 20);
  pass(1_000);
  await app.inject({ method: 'GET', url: '/api/v1/status' });
  t.is(events.length, 21);
  t.like(events[19], { count: 1, path: '/metrics' });
  t.like(events[20], { count: 11, path: '/api/v1/status' });
});

test('a web page of another site cannot act in the name of its reader', async (t) => {
  const gateway = fakeGateway();
  const { post } = openApp(t, gateway);
  for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:9999']) {
    t.is((await post('/api/v1/cache/flush', { all: true }, { origin })).status, 403, origin);
  }
  t.deepEqual(gateway.asked, []);
  t.is((await post('/api/v1/cache/flush', { all: true }, { origin: 'http://127.0.0.1:8025' })).status, 200);
});

test('every answer carries the headers that keep a browser from harm', async (t) => {
  const { app } = openApp(t, fakeGateway(), secretOf(TOKEN));
  for (const url of ['/healthz', '/metrics', '/nothing']) {
    const { headers } = await app.inject({ method: 'GET', url });
    t.regex(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/, url);
    t.false(String(headers['content-security-policy']).includes('unsafe-inline'), url);
    t.is(headers['x-content-type-options'], 'nosniff', url);
    t.is(headers['referrer-policy'], 'no-referrer', url);
    t.is(headers['cache-control'], 'no-store', url);
    t.is(headers['access-control-allow-origin'], undefined, url);
  }
});
