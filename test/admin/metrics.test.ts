import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { METRICS, metricsReference } from '@callahead/core';
import test from 'ava';
import { openApp, recipientEvent } from '../support/admin.ts';
import { program } from '../support/debian.ts';

/** A gateway to which everything has happened that is counted. */
async function scrape(t: Parameters<typeof openApp>[0]): Promise<string> {
  const { get, observe } = openApp(t);
  observe(recipientEvent());
  observe(recipientEvent({ kind: 'unasked', source: '', profile: '', server: '', reason: 'access' }));
  observe({ event: 'breaker.opened', profile: 'corp', server: 'ex1.corp.example:25', untilMs: 1 });
  observe({ event: 'directory.down', server: 'directory', url: 'ldap://127.0.0.1', error: 'refused' });
  observe({
    ...{ event: 'dhap.blocked', listener: 'inbound', client: '203.0.113.7', group: 'others "1"\n', policy: 'accepted' },
    ...{ count: 25, samples: [], until: '2026-11-24T01:00:00.000Z' },
  });
  return (await get('/metrics')).body;
}

test('every metric of the table is exposed, with its labels, and nothing else is', async (t) => {
  const text = await scrape(t);
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => `${name} ${kind}`);
  t.deepEqual(
    types,
    METRICS.map(({ name, kind }) => `${name} ${kind}`),
  );
  for (const { name, kind, labels } of METRICS) {
    const suffix = kind === 'histogram' ? '_count' : '';
    const line = text
      .split('\n')
      .find((one) => one.startsWith(`${name}${suffix}{`) || one.startsWith(`${name}${suffix} `));
    const said = [...(line ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label);
    t.deepEqual([...said].sort(), [...labels].sort(), name);
  }
});

test('verdicts are counted by profile, kind and source, and what was not asked about is none', async (t) => {
  const text = await scrape(t);
  t.true(text.includes('callahead_verdicts_total{profile="corp",kind="unknown",source="cache"} 1\n'));
  t.true(text.includes('callahead_validation_seconds_bucket{le="0.005",profile="corp"} 1\n'));
  t.true(text.includes('callahead_validation_seconds_count{profile="corp"} 1\n'));
  t.true(text.includes('callahead_rejections_total{listener="inbound",reason="access"} 1\n'));
  t.true(text.includes('callahead_server_breaker{profile="corp",server="ex1.corp.example:25"} 2\n'));
  t.true(text.includes('callahead_canary_suspended{profile="corp",server="ex1.corp.example:25"} 1\n'));
  t.true(text.includes('callahead_canary_catch_all{profile="corp",server="ex1.corp.example:25"} 0\n'));
  t.true(text.includes('callahead_server_connections{profile="corp",server="ex1.corp.example:25",state="busy"} 2\n'));
});

test('a label is escaped', async (t) => {
  t.true((await scrape(t)).includes('group="others \\"1\\"\\n"'));
});

test('promtool finds nothing wrong with the metrics', async (t) => {
  const { status, stdout, stderr } = spawnSync(program('promtool'), ['check', 'metrics'], {
    input: await scrape(t),
    encoding: 'utf8',
  });
  t.is(status, 0, `${stdout}${stderr}`);
});

test('docs/metrics.md is what the table says (npm run reference writes it)', async (t) => {
  t.is(await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8'), metricsReference());
});
