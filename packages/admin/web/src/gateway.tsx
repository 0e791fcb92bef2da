/** What the gateway is made of, in figures: profiles, destinations, listeners, threads. */
import { useState } from 'preact/hooks';
import type { Status } from './contract.ts';
import { Card, Counts, Empty } from './parts.tsx';
import { Figure, More, Table } from './table.tsx';
import { bytes, count, plural, share, took } from './words.ts';

const PAGE = 10;

export function Profiles({ status: { profiles } }: Readonly<{ status: Status }>) {
  return (
    <Card title="Profiles">
      <Table
        caption="Profiles with their verdicts, times and caches"
        heads={[
          'Profile',
          'Verdicts',
          { number: 'From the cache' },
          { number: 'Kept' },
          { number: 'Median' },
          { number: '95 %' },
        ]}
      >
        {profiles.map(({ name, mode, verdicts, hitRatio, latency, cache }) => (
          <tr key={name}>
            <th scope="row">
              {name}
              {mode === 'monitor' ? <span class="muted block">only monitors</span> : null}
            </th>
            <td data-label="Verdicts">
              <Counts verdicts={verdicts} />
            </td>
            <Figure label="From cache">{share(hitRatio)}</Figure>
            <Figure label="Kept">
              {count(cache.positive + cache.negative)} of {count(cache.size)}
            </Figure>
            <Figure label="Median">{took(latency.p50Seconds)}</Figure>
            <Figure label="95 %">{took(latency.p95Seconds)}</Figure>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

/** The busiest first. */
export function Destinations({ status: { destinations, engine } }: Readonly<{ status: Status }>) {
  const [most, setMost] = useState(PAGE);
  const queue = `${plural(engine.waiting, 'recipient')} waiting, ${count(engine.asking)} asked about`;
  return (
    <Card title="Destinations" aside={<span class="muted">{queue}</span>}>
      {destinations.length === 0 ? (
        <Empty title="Nobody has been asked about yet" />
      ) : (
        <Table
          caption="Destinations with their verdicts and queues, the busiest first"
          heads={[
            'Destination',
            'Verdicts',
            { number: 'From the cache' },
            { number: 'Waiting' },
            { number: 'Asked' },
            { number: 'Sessions' },
          ]}
        >
          {destinations.slice(0, most).map(({ key, profile, verdicts, hitRatio, waiting, asking, sessions }) => (
            <tr key={`${profile} ${key}`}>
              <th scope="row" class="mono">
                {key === 'other' ? `all others of ${profile}` : key}
              </th>
              <td data-label="Verdicts">
                <Counts verdicts={verdicts} />
              </td>
              <Figure label="From cache">{share(hitRatio)}</Figure>
              <Figure label="Waiting">{count(waiting)}</Figure>
              <Figure label="Asked">{count(asking)}</Figure>
              <Figure label="Sessions">{count(sessions.connecting + sessions.idle + sessions.busy)}</Figure>
            </tr>
          ))}
        </Table>
      )}
      <More most={most} all={destinations.length} onMore={() => setMost(most + PAGE)} />
    </Card>
  );
}

export function Listeners({ status: { listeners } }: Readonly<{ status: Status }>) {
  return (
    <Card title="Listeners">
      <Table
        caption="Listeners with their sockets and sessions"
        heads={['Name', 'Listens on', 'Profile', { number: 'Open' }, { number: 'Sessions' }]}
      >
        {listeners.map(({ name, sockets, profile, sessions, sessionsTotal }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td data-label="Listens on">
              <span class="mono">{sockets.join(' ')}</span>
            </td>
            <td data-label="Profile">{profile ?? 'no call-ahead'}</td>
            <Figure label="Open">{sessions}</Figure>
            <Figure label="Sessions">{sessionsTotal}</Figure>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

export function Threads({ status: { threads, residentBytes } }: Readonly<{ status: Status }>) {
  return (
    <Card title="Threads" aside={<span class="muted">{bytes(residentBytes)} of memory in all</span>}>
      <Table
        caption="Threads, how late each is at most and what it holds"
        heads={['Thread', { number: 'Late by' }, { number: 'Heap' }]}
      >
        {threads.map(({ thread, lagSeconds, heapBytes }) => (
          <tr key={thread}>
            <th scope="row">{thread}</th>
            <Figure label="Late by">{took(lagSeconds)}</Figure>
            <Figure label="Heap">{bytes(heapBytes)}</Figure>
          </tr>
        ))}
      </Table>
    </Card>
  );
}
