import test from 'ava';
import { ratesOf } from '../../../packages/cli/src/top/rates.ts';
import { latencyOf, profileState, serverState, snapshot, sources, verdicts } from '../../support/snapshot.ts';

const LATER = snapshot({
  uptimeSeconds: 102,
  profiles: [
    profileState({
      verdicts: verdicts({ valid: 90, unknown: 30 }),
      sources: sources({ server: 15, cache: 103, shared: 2 }),
      latency: latencyOf(90, 20, 10),
    }),
  ],
  servers: [serverState({ probes: verdicts({ valid: 14, failed: 2 }), latency: latencyOf(0, 10, 6) })],
});

test('rates are what happened between two snapshots, by the time between them', (t) => {
  const rates = ratesOf(LATER, snapshot());
  const profile = rates.profile(LATER.profiles[0] ?? profileState());
  t.like(profile, { total: 10, hitRatio: 0.75, verdicts: { valid: 5, unknown: 5, refused: 0 } });
  t.true(Math.abs((profile.p50 ?? 0) - 0.0055) < 1e-9);
  t.is(rates.server(LATER.servers[0] ?? serverState()).probes, 3);
});

test('with nothing before it is what happened since the start', (t) => {
  const rates = ratesOf(snapshot(), null);
  t.like(rates.profile(profileState()), { total: 1, hitRatio: 0.9, verdicts: { valid: 0.8 } });
});

test('a gateway that was started anew counts from its own start, not backwards', (t) => {
  const restarted = snapshot({ startedAt: '2026-11-24T09:00:00.000Z', uptimeSeconds: 50 });
  t.is(ratesOf(restarted, LATER).profile(profileState()).total, 2);
});

test('where nothing was measured since, percentiles are of all, and where nothing ever was there are none', (t) => {
  const still = ratesOf(snapshot({ uptimeSeconds: 101 }), snapshot());
  t.like(still.profile(profileState()), { total: 0, hitRatio: null });
  t.true((still.profile(profileState()).p50 ?? 1) < 0.001);
  t.like(still.server(serverState({ latency: latencyOf() })), { p50: null, p99: null });
  t.is(ratesOf(snapshot(), null).server(serverState({ latency: latencyOf(0, 0, 0, 5) })).p99, 0.1);
});
