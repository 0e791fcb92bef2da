/** examples/monitoring, held to the metrics that there are. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { METRICS } from '@callahead/core';
import test from 'ava';
import { program } from '../support/debian.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'examples', 'monitoring');

type Dashboard = Readonly<{
  panels: readonly Readonly<{ title: string; targets: readonly Readonly<{ expr: string }>[] }>[];
  templating: Readonly<{ list: readonly Readonly<{ query: string }>[] }>;
}>;

async function dashboard(): Promise<Dashboard> {
  return JSON.parse(await readFile(join(FOLDER, 'grafana-dashboard.json'), 'utf8'));
}

function promtool(t: { is(a: unknown, b: unknown, message?: string): void }, ...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program('promtool'), args, { cwd: FOLDER, encoding: 'utf8' });
  t.is(status, 0, `${stdout}${stderr}`);
}

/** The names of the series that a query may ask for, with the labels that it may have. */
const SERIES = new Map<string, readonly string[]>(
  METRICS.flatMap(({ name, kind, labels }): (readonly [string, readonly string[]])[] => {
    if (kind !== 'histogram') return [[name, labels]];
    return ['_bucket', '_sum', '_count'].map((suffix) => [`${name}${suffix}`, [...labels, 'le']]);
  }),
);

/** Labels that Prometheus adds. */
const ADDED = new Set(['instance', 'job']);

function faultsIn(query: string): readonly string[] {
  return [...query.matchAll(/(callahead_\w+)(?:\{([^}]*)\})?/g)].flatMap(([, name = '', matchers = '']) => {
    const labels = SERIES.get(name);
    if (labels === undefined) return [`${name} is no metric`];
    const asked = [...matchers.matchAll(/(\w+)\s*(?:=~|!=|!~|=)/g)].map(([, label = '']) => label);
    return asked
      .filter((label) => !labels.includes(label) && !ADDED.has(label))
      .map((label) => `${name} has no ${label}`);
  });
}

test('promtool accepts the scrape configuration and the alert rules', (t) => {
  promtool(t, 'check', 'rules', 'alerts.yml');
  promtool(t, 'check', 'config', '--syntax-only', 'prometheus.yml');
});

test('the alert rules ring when they should, and not before', (t) => {
  promtool(t, 'test', 'rules', 'alerts-test.yml');
});

test('the alert rules ask only for metrics that there are', async (t) => {
  t.deepEqual(faultsIn(await readFile(join(FOLDER, 'alerts.yml'), 'utf8')), []);
});

test('the dashboard asks only for metrics that there are, and for all of them', async (t) => {
  const { panels, templating } = await dashboard();
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  t.deepEqual(queries.flatMap(faultsIn), []);
  t.deepEqual(
    templating.list.flatMap(({ query }) => faultsIn(query)),
    [],
  );
  const shown = METRICS.filter(({ name }) => queries.some((query) => query.includes(name)));
  t.deepEqual(shown, [...METRICS]);
});

test('promtool can read every query of the dashboard', async (t) => {
  const { panels } = await dashboard();
  const rules = panels.flatMap(({ targets }) =>
    targets.map(({ expr }, place) => ({ record: `panel:query:${place}`, expr: expr.replaceAll(/\$\w+/g, '.*') })),
  );
  const folder = await mkdtemp(join(tmpdir(), 'callahead-rules-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const groups = rules.map((rule, place) => ({ name: `g${place}`, rules: [rule] }));
  await writeFile(join(folder, 'rules.yml'), JSON.stringify({ groups }));
  promtool(t, 'check', 'rules', join(folder, 'rules.yml'));
});
