/** The metrics in the text format of Prometheus. The only place of prom-client. */
import {
  countOf,
  type DestinationTotals,
  type Histogram,
  loanName,
  METRICS,
  type Metric as MetricDefinition,
  type MetricName,
  OTHERS,
  SECONDS,
} from '@callahead/core';
import { type Metric, Registry } from 'prom-client';
import { noListenerCounts, noProfileCounts } from './counting.ts';
import { type Facts, statusOf, threadsOf } from './status.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = Readonly<{ labels: Labels; value: number | Histogram }>;
/** As prom-client writes them. */
type Line = Readonly<{ labels: Labels; value: number; metricName?: string }>;

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** A registry of one scrape: everything that is counted is counted elsewhere, and shown as it is now. */
export async function metricsText(facts: Facts): Promise<string> {
  const registry = new Registry();
  const samples = samplesOf(facts);
  for (const metric of METRICS) registry.registerMetric(exhibit(metric, samples[metric.name]));
  return registry.metrics();
}

// A registry asks a metric for nothing but its name and `get`; the library's own ones can only be counted up.
function exhibit({ name, kind, help }: MetricDefinition, samples: readonly Sample[]): Metric {
  const values = samples.flatMap((sample) => linesOf(name, sample));
  const shown = { name, get: async () => ({ name, help, type: kind, values, aggregator: 'sum' }) };
  return shown as unknown as Metric;
}

function linesOf(name: string, { labels, value }: Sample): readonly Line[] {
  if (typeof value === 'number') return [{ labels, value }];
  let below = 0;
  const buckets = value.counts.map((count, place) => {
    below += count;
    const le = SECONDS[place] === undefined ? '+Inf' : String(SECONDS[place]);
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: value.sumSeconds },
    { metricName: `${name}_count`, labels, value: countOf(value) },
  ];
}

type Samples = Readonly<Record<MetricName, readonly Sample[]>>;

function samplesOf(facts: Facts): Samples {
  return {
    ...canarySamples(facts),
    ...gatewaySamples(facts),
    ...doorSamples(facts),
    ...verdictSamples(facts),
    ...serverSamples(facts),
  };
}

function canarySamples({ canaries }: Facts) {
  return {
    callahead_canary_suspended: canaries.map(({ profile, server, suspended }) =>
      sample({ profile, server }, Number(suspended)),
    ),
    callahead_canary_catch_all: canaries.map(({ profile, server, catchAll }) =>
      sample({ profile, server }, Number(catchAll)),
    ),
  };
}

function gatewaySamples(facts: Facts) {
  const { version, startedAtMs, state, report, counting, main } = facts;
  const threads = threadsOf(facts);
  return {
    callahead_info: [sample({ version }, 1)],
    callahead_start_time_seconds: [sample({}, startedAtMs / 1_000)],
    callahead_state: ['ready', 'overloaded', 'stopping'].map((one) => sample({ state: one }, Number(one === state))),
    callahead_asks: [sample({ state: 'asking' }, report.asking), sample({ state: 'waiting' }, report.waiting)],
    callahead_destinations: [sample({}, report.destinations)],
    callahead_directory_up: [...counting.directories].map(([server, up]) => sample({ server }, Number(up))),
    callahead_thread_replacements_total: [sample({}, counting.threadReplacements())],
    callahead_actor_crashes_total: [sample({}, counting.actorCrashes())],
    callahead_event_loop_lag_seconds: threads.map(({ thread, lagSeconds }) => sample({ thread }, lagSeconds)),
    callahead_heap_bytes: threads.map(({ thread, heapBytes }) => sample({ thread }, heapBytes)),
    callahead_resident_bytes: [sample({}, main.residentBytes)],
    callahead_cpu_seconds_total: [sample({}, main.cpuSeconds)],
  };
}

function doorSamples({ configuration, listeners, counting }: Facts) {
  // From the start, so that the first of each is an increase.
  const names = new Set([...configuration.listeners.map(({ name }) => name), ...counting.listeners.keys()]);
  const counted = [...names].map((name) => [name, counting.listeners.get(name) ?? noListenerCounts()] as const);
  return {
    callahead_sessions: listeners.map(({ name: listener, sessions }) => sample({ listener }, sessions)),
    callahead_sessions_total: counted.map(([listener, { sessions }]) => sample({ listener }, sessions)),
    callahead_sessions_shed_total: counted.flatMap(([listener, { shed }]) =>
      Object.entries(shed).map(([reason, count]) => sample({ listener, reason }, count)),
    ),
    callahead_client_errors_total: counted.map(([listener, { clientErrors }]) => sample({ listener }, clientErrors)),
    callahead_replies_total: counted.flatMap(([listener, { replies }]) =>
      [...replies].map(([code, count]) => sample({ listener, code: String(code) }, count)),
    ),
    callahead_rejections_total: counted.flatMap(([listener, { reasons }]) =>
      [...reasons].map(([reason, count]) => sample({ listener, reason }, count)),
    ),
    callahead_messages_total: counted.flatMap(([listener, { relayed, refused, discarded }]) => [
      sample({ listener, outcome: 'relayed' }, relayed),
      sample({ listener, outcome: 'refused' }, refused),
      sample({ listener, outcome: 'discarded' }, discarded),
    ]),
    callahead_message_bytes_total: counted.map(([listener, { bytes }]) => sample({ listener }, bytes)),
    callahead_dhap_crossings_total: counted.flatMap(([listener, { crossings }]) =>
      [...crossings].map(([group, count]) => sample({ listener, group }, count)),
    ),
  };
}

function verdictSamples(facts: Facts) {
  const { configuration, counting } = facts;
  const names = new Set([...configuration.profiles.keys(), ...counting.profiles.keys()]);
  const counted = [...names].map((name) => [name, counting.profiles.get(name) ?? noProfileCounts()] as const);
  const { profiles, destinations } = statusOf(facts);
  const totals = facts.report.totals.destinations;
  const labelsOf = ({ profile, destination }: DestinationTotals): Labels => ({ profile, destination });
  return {
    callahead_verdicts_total: counted.flatMap(([profile, { verdicts }]) =>
      Object.entries(verdicts).flatMap(([kind, sources]) =>
        Object.entries(sources).map(([source, count]) => sample({ profile, kind, source }, count)),
      ),
    ),
    callahead_validation_seconds: counted.map(([profile, { took }]) => sample({ profile }, took)),
    callahead_breaker_openings_total: counted.map(([profile, counts]) => sample({ profile }, counts.breakerOpenings)),
    callahead_cache_entries: profiles.flatMap(({ name: profile, cache }) => [
      sample({ profile, sign: 'positive' }, cache.positive),
      sample({ profile, sign: 'negative' }, cache.negative),
    ]),
    callahead_cache_size: profiles.map(({ name: profile, cache }) => sample({ profile }, cache.size)),
    callahead_destination_verdicts_total: destinations.flatMap(({ profile, key: destination, verdicts }) =>
      Object.entries(verdicts).map(([kind, count]) => sample({ profile, destination, kind }, count)),
    ),
    callahead_destination_cached_total: totals.map((total) => sample(labelsOf(total), total.cached)),
    callahead_destination_stale_total: totals.map((total) => sample(labelsOf(total), total.stale)),
    callahead_destination_refreshes_total: totals.map((total) => sample(labelsOf(total), total.refreshed)),
    callahead_destination_queue: destinations.flatMap(({ profile, key: destination, waiting, asking }) => [
      sample({ profile, destination, state: 'waiting' }, waiting),
      sample({ profile, destination, state: 'asking' }, asking),
    ]),
  };
}

const BREAKER = { closed: 0, 'half-open': 1, open: 2 } as const;

/** A server that has no series of its own is among the others of its profile. */
function serverSamples({ report }: Facts) {
  const { loans, threads, totals } = report;
  const named = new Set(totals.servers.map(({ profile, server }) => loanName(profile, server)));
  const labels = ({ profile, server }: Readonly<{ profile: string; server: string }>): Labels => ({
    profile,
    server: named.has(loanName(profile, server)) ? server : OTHERS,
  });
  const open = threads.flatMap((thread) => thread.servers);
  return {
    callahead_probes_total: totals.servers.flatMap(({ profile, server, probes }) =>
      Object.entries(probes).map(([kind, count]) => sample({ profile, server, kind }, count)),
    ),
    callahead_probe_seconds: totals.servers.map(({ profile, server, took }) => sample({ profile, server }, took)),
    callahead_server_connections: summed(
      open.flatMap((one) => [
        sample({ ...labels(one), state: 'connecting' }, one.connecting),
        sample({ ...labels(one), state: 'idle' }, one.idle),
        sample({ ...labels(one), state: 'busy' }, one.busy),
      ]),
    ),
    callahead_server_permits: summed(
      loans.flatMap((loan) => [
        sample({ ...labels(loan), state: 'lent' }, loan.held),
        sample({ ...labels(loan), state: 'waiting' }, loan.waiting),
      ]),
    ),
    callahead_server_permits_limit: summed(loans.map((loan) => sample(labels(loan), loan.maximum))),
    // The worst of the others stands for them.
    callahead_server_breaker: summed(
      loans.map((loan) => sample(labels(loan), BREAKER[loan.breaker])),
      Math.max,
    ),
  };
}

type NumberSample = Readonly<{ labels: Labels; value: number }>;

/** One sample for each set of labels. */
function summed(samples: readonly NumberSample[], combine = (a: number, b: number) => a + b): readonly NumberSample[] {
  const byLabels = new Map<string, NumberSample>();
  for (const { labels, value } of samples) {
    const key = JSON.stringify(labels);
    const known = byLabels.get(key);
    byLabels.set(key, { labels, value: known === undefined ? value : combine(known.value, value) });
  }
  return [...byLabels.values()];
}

function sample<Value extends number | Histogram>(labels: Labels, value: Value): { labels: Labels; value: Value } {
  return { labels, value };
}
