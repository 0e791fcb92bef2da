/** One thing that is measured. `labels` in the order in which they are written; a histogram has the buckets of `SECONDS`. */
export type Metric = Readonly<{
  name: `callahead_${string}`;
  kind: 'counter' | 'gauge' | 'histogram';
  labels: readonly string[];
  help: string;
}>;

/** Everything that is measured. docs/metrics.md is written from it (`npm run reference`), and tests hold the exposition to it (SPEC 10.1). */
export const METRICS = [
  metric('callahead_info', 'gauge', ['version'], 'Always 1; the label has the version.'),
  metric('callahead_start_time_seconds', 'gauge', [], 'When the process started, in seconds since 1970.'),
  metric('callahead_state', 'gauge', ['state'], '1 for the state it is in: ready, overloaded or stopping.'),
  metric('callahead_sessions', 'gauge', ['listener'], 'SMTP sessions that are open.'),
  metric('callahead_sessions_total', 'counter', ['listener'], 'SMTP sessions that were opened.'),
  metric(
    'callahead_sessions_shed_total',
    'counter',
    ['listener', 'reason'],
    'Clients that there was no room for: `sessions`, the listener has as many as it may; `overload`, the engine is full.',
  ),
  metric('callahead_client_errors_total', 'counter', ['listener'], 'Connections of clients that broke.'),
  metric('callahead_replies_total', 'counter', ['listener', 'code'], 'Replies to RCPT, by their code.'),
  metric('callahead_rejections_total', 'counter', ['listener', 'reason'], 'Recipients that were refused, by reason.'),
  metric(
    'callahead_verdicts_total',
    'counter',
    ['profile', 'kind', 'source'],
    'What was found out about recipients: kind valid, unknown, refused, temporary or failed; source server, cache, shared or routing.',
  ),
  metric(
    'callahead_validation_seconds',
    'histogram',
    ['profile'],
    'From the RCPT line to the verdict, caches included.',
  ),
  metric('callahead_messages_total', 'counter', ['listener', 'outcome'], 'Messages: relayed, refused or discarded.'),
  metric('callahead_message_bytes_total', 'counter', ['listener'], 'Octets of the messages that were relayed.'),
  metric(
    'callahead_probes_total',
    'counter',
    ['profile', 'server', 'kind'],
    'What servers said about recipients; the busiest 200 servers by name, the rest as other.',
  ),
  metric('callahead_probe_seconds', 'histogram', ['profile', 'server'], "From a server's turn to its answer."),
  metric(
    'callahead_server_connections',
    'gauge',
    ['profile', 'server', 'state'],
    'Connections for call-ahead: connecting, idle or busy.',
  ),
  metric(
    'callahead_server_permits',
    'gauge',
    ['profile', 'server', 'state'],
    'Permits to connect: lent, or waiting for one.',
  ),
  metric('callahead_server_permits_limit', 'gauge', ['profile', 'server'], 'How many connections it may have at once.'),
  metric(
    'callahead_server_breaker',
    'gauge',
    ['profile', 'server'],
    '0 closed, 1 half-open: one connection tries it, 2 open: the server is left alone.',
  ),
  metric('callahead_breaker_openings_total', 'counter', ['profile'], 'How often a server began to be left alone.'),
  metric('callahead_asks', 'gauge', ['state'], 'Recipients at the threads (asking), and before them (waiting).'),
  metric('callahead_destinations', 'gauge', [], 'Destinations that are remembered.'),
  metric(
    'callahead_destination_verdicts_total',
    'counter',
    ['profile', 'destination', 'kind'],
    'Verdicts by destination; the busiest 100 by name, the rest as other.',
  ),
  metric(
    'callahead_destination_cached_total',
    'counter',
    ['profile', 'destination'],
    'Those of them that came from a cache.',
  ),
  metric(
    'callahead_destination_stale_total',
    'counter',
    ['profile', 'destination'],
    'Those of these whose time was over, given because no server answered (`staleIfError`).',
  ),
  metric(
    'callahead_destination_refreshes_total',
    'counter',
    ['profile', 'destination'],
    'Probes for cached answers that were near their end (`refreshAhead`).',
  ),
  metric(
    'callahead_destination_queue',
    'gauge',
    ['profile', 'destination', 'state'],
    'Probes of a destination: waiting or asking.',
  ),
  metric(
    'callahead_canary_suspended',
    'gauge',
    ['profile', 'server'],
    '1 while a server refuses the recipient that it has to know, and nobody is refused for what it says.',
  ),
  metric(
    'callahead_canary_catch_all',
    'gauge',
    ['profile', 'server'],
    '1 while a server accepts recipients that nobody can have.',
  ),
  metric('callahead_cache_entries', 'gauge', ['profile', 'sign'], 'Cached verdicts, positive or negative.'),
  metric('callahead_cache_size', 'gauge', ['profile'], 'How many a profile may have.'),
  metric(
    'callahead_dhap_crossings_total',
    'counter',
    ['listener', 'group'],
    'Clients that were blocked for invalid recipients.',
  ),
  metric('callahead_directory_up', 'gauge', ['server'], '1: the LDAP directory answers; 0: it does not.'),
  metric('callahead_thread_replacements_total', 'counter', [], 'Worker threads that died and were replaced.'),
  metric('callahead_actor_crashes_total', 'counter', [], 'Destinations that broke and were built again.'),
  metric(
    'callahead_event_loop_lag_seconds',
    'gauge',
    ['thread'],
    'The longest that the event loop of a thread was late in the last ten seconds or so.',
  ),
  metric('callahead_heap_bytes', 'gauge', ['thread'], 'The heap of a thread that is in use.'),
  metric('callahead_resident_bytes', 'gauge', [], 'The memory of the process.'),
  metric('callahead_cpu_seconds_total', 'counter', [], 'Processor time of the process, all threads.'),
] as const;

export type MetricName = (typeof METRICS)[number]['name'];

function metric<const Name extends Metric['name']>(
  name: Name,
  kind: Metric['kind'],
  labels: readonly string[],
  help: string,
): Metric & Readonly<{ name: Name }> {
  return { name, kind, labels, help };
}

const INTRODUCTION = `# Metrics

\`GET /metrics\` of the admin listener, in the text format of Prometheus. Names of servers and destinations are those of the configuration, the directory or the DNS; of each
kind the busiest have series of their own and the rest is \`other\`, so that their number is bounded. A series begins at zero when its name becomes one of the busiest.
Dashboard and alert rules: [examples/monitoring](../examples/monitoring). This page is generated from the source.
`;

/** The reference page, in Markdown. */
export function metricsReference(): string {
  const rows = METRICS.map(({ name, kind, labels, help }) => {
    const shown = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${kind} | ${shown} | ${help} |`;
  });
  return `${INTRODUCTION}\n| Name | Kind | Labels | What it is |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}
