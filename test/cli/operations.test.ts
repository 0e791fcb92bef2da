import test, { type ExecutionContext } from 'ava';
import { openSession } from '../support/dialogue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';

const TOKEN = 'correct-horse-battery';

/** A gateway with an HTTP API, before a server that knows one user; its threads have told what they counted within a second. */
async function serve(t: ExecutionContext, admin: Readonly<Record<string, unknown>>) {
  const server = await startFakeServer({ users: ['known@example.com'] });
  t.teardown(server.stop);
  const gateway = await startGateway({ ...before(server.at), admin: { listen: '127.0.0.1:0', ...admin } });
  t.teardown(() => gateway.stop());

  async function ask(path: string, body?: object): Promise<Response> {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const init = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) };
    return fetch(`http://${gateway.admin}${path}`, init);
  }

  // biome-ignore lint/suspicious/noExplicitAny: what it is, is what is tested
  const json = async (path: string, body?: object): Promise<any> => (await ask(path, body)).json();
  return { gateway, server, ask, json };
}

const MAIL = ['EHLO client.example', 'MAIL FROM:<sender@client.example>'];
const RCPTS = ['known', 'known', 'nobody', 'nobody'].map((user) => `RCPT TO:<${user}@example.com>`);

test('a gateway shows what it did, over HTTP', async (t) => {
  const { gateway, server, ask, json } = await serve(t, { token: TOKEN });
  await openSession(t, gateway.port('inbound'), ...MAIL, ...RCPTS);

  const status = await json('/api/v1/status');
  t.like(status, { hostname: 'mx.gateway.example', state: 'ready', replies: { 250: 2, 550: 2 } });
  t.like(status.listeners, [{ name: 'inbound', sessions: 1, sessionsTotal: 1 }]);
  t.like(status.profiles, [
    { name: 'mailboxes', verdicts: { valid: 2, unknown: 2 }, sources: { server: 2, cache: 2 }, hitRatio: 0.5 },
  ]);
  t.like(status.profiles[0].cache, { positive: 1, negative: 1 });
  t.like(status.servers, [{ profile: 'mailboxes', server: server.at, breaker: 'closed' }]);
  t.like(status.servers[0].connections, { busy: 0, limit: 5 });
  t.like((await json('/api/v1/verdicts?kind=unknown')).verdicts, [{ source: 'cache' }, { source: 'server' }]);
  t.like(await json('/api/v1/configuration'), { configuration: { admin: { token: '(hidden)' } } });

  const metrics = await (await ask('/metrics')).text();
  t.true(metrics.includes('callahead_verdicts_total{profile="mailboxes",kind="unknown",source="cache"} 1'));
  t.true(metrics.includes('callahead_validation_seconds_count{profile="mailboxes"} 4'));
  t.true(metrics.includes('callahead_sessions{listener="inbound"} 1'));
  t.is((await fetch(`http://${gateway.admin}/metrics`)).status, 401);
  t.is((await fetch(`http://${gateway.admin}/readyz`)).status, 200);
});

test('one stale answer is healed without a restart, and one recipient is explained', async (t) => {
  const { gateway, server, json } = await serve(t, { token: TOKEN });
  await openSession(t, gateway.port('inbound'), ...MAIL, ...RCPTS);
  const asked = server.asked.length;

  t.like(await json('/api/v1/cache?recipient=nobody@example.com'), {
    entries: [{ kind: 'unknown', server: server.at }],
  });
  t.deepEqual(await json('/api/v1/cache/flush', { recipient: 'nobody@example.com' }), { forgotten: 1 });
  t.like(await json('/api/v1/cache?recipient=nobody@example.com'), { entries: [] });
  t.like(await json('/api/v1/verify', { recipient: 'nobody@example.com' }), {
    kind: 'unknown',
    source: 'server',
    code: 550,
  });
  t.like(await json('/api/v1/verify', { recipient: 'known@example.com' }), { kind: 'valid', source: 'cache' });
  t.is(server.asked.length, asked + 1);
  t.like(await json('/api/v1/explain', { recipient: 'nobody@example.com' }), {
    listener: 'inbound',
    verdict: { kind: 'unknown', source: 'server' },
    exit: 1,
  });
  t.is(server.asked.length, asked + 2);
  await gateway.logged((line) => line.event === 'admin.acted' && line.action === 'flush');
});

test('threads tell what servers said within a second or so, and the stream of events shows it', async (t) => {
  const { gateway, server, ask } = await serve(t, { token: TOKEN });
  await openSession(t, gateway.port('inbound'), ...MAIL, ...RCPTS);
  const { body } = await ask('/api/v1/events');
  let text = '';
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (new RegExp(`"server":"${server.at}".*"probes":\\{"valid":1,"unknown":1`).test(text)) break;
  }
  t.regex(text, /^: callahead\n\nevent: readings\ndata: \{.*\n\nevent: snapshot\ndata: \{/);
});

test('without a token everybody on this machine may read, and nobody may act', async (t) => {
  const { json, ask } = await serve(t, {});
  t.like(await json('/api/v1/status'), { state: 'ready' });
  t.is((await ask('/api/v1/cache/flush', { all: true })).status, 403);
});

test('a reload by HTTP puts the file to work, or says what is wrong with it', async (t) => {
  const { gateway, server, json, ask } = await serve(t, { token: TOKEN });
  const file = { ...before(server.at), admin: { listen: '127.0.0.1:0', token: TOKEN } };
  await gateway.configure({ ...file, hostname: 'mx2.gateway.example' });
  t.like(await json('/api/v1/reload', {}), { generation: 2, opened: [], restart: [] });
  t.like(await json('/api/v1/status'), { hostname: 'mx2.gateway.example' });
  await gateway.configure({ ...file, admin: { listen: '127.0.0.1:0', token: `${TOKEN}-2` } });
  t.like(await json('/api/v1/reload', {}), { generation: 3, restart: ['admin'] });
  await gateway.configure({ ...file, hostname: '' });
  const refused = await ask('/api/v1/reload', {});
  t.is(refused.status, 409);
  const { error } = (await refused.json()) as { error: { problems: readonly string[] } };
  t.regex(error.problems[0] ?? '', /hostname/);
});
