import { type DestinationReport, loanName, OTHERS, type ServerConnections, type ThreadReport } from '@callahead/core';

const MOST_DESTINATIONS = 200;
const MOST_SERVERS = 400;

/** A report that stays small, whatever the number of destinations: those with most to do, and then all others as one. */
export function threadReport(
  reports: readonly Readonly<{ profile: string; report: DestinationReport }>[],
  caches: ThreadReport['caches'],
): ThreadReport {
  const busiest = reports.map(({ report }) => report).sort((a, b) => weight(b) - weight(a));
  const others = busiest.splice(MOST_DESTINATIONS);
  const destinations = others.length === 0 ? busiest : [...busiest, others.reduce(together, NOTHING)];
  return { destinations, servers: connections(reports), caches };
}

const NOTHING: DestinationReport = {
  key: OTHERS,
  waiting: 0,
  asking: 0,
  sessions: { connecting: 0, idle: 0, busy: 0 },
  servers: [],
};

function weight({ waiting, asking, sessions }: DestinationReport): number {
  return waiting + asking + open(sessions);
}

function open({ connecting, idle, busy }: DestinationReport['sessions']): number {
  return connecting + idle + busy;
}

function together(sum: DestinationReport, { waiting, asking, sessions }: DestinationReport): DestinationReport {
  const { connecting, idle, busy } = sum.sessions;
  return {
    ...sum,
    waiting: sum.waiting + waiting,
    asking: sum.asking + asking,
    sessions: {
      connecting: connecting + sessions.connecting,
      idle: idle + sessions.idle,
      busy: busy + sessions.busy,
    },
  };
}

function connections(reports: Parameters<typeof threadReport>[0]): readonly ServerConnections[] {
  const byServer = new Map<string, { -readonly [Key in keyof ServerConnections]: ServerConnections[Key] }>();
  for (const { profile, report } of reports) {
    for (const { server, connecting, idle, busy } of report.servers) {
      const name = loanName(profile, server);
      const sum = byServer.get(name) ?? { profile, server, connecting: 0, idle: 0, busy: 0 };
      sum.connecting += connecting;
      sum.idle += idle;
      sum.busy += busy;
      byServer.set(name, sum);
    }
  }
  const all = [...byServer.values()].filter((sum) => open(sum) > 0);
  return all.length <= MOST_SERVERS ? all : all.sort((a, b) => open(b) - open(a)).slice(0, MOST_SERVERS);
}
