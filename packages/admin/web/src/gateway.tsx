/** What the gateway is made of, in figures: profiles, destinations, listeners, threads. */
import { useState } from 'preact/hooks';
import type { Status } from './contract.ts';
import { Card, Counts, Empty, More } from './parts.tsx';
import { bytes, count, plural, share, took } from './words.ts';

const PAGE = 10;

export function Profiles({ status: { profiles } }: Readonly<{ status: Status }>) {
  return (
    <Card title="Profiles">
      <div class="scroller">
        <table class="stacking">
          <caption class="unseen">Profiles with their verdicts, times and caches</caption>
          <thead>
            <tr>
              <th scope="col">Profile</th>
              <th scope="col">Verdicts</th>
              <th scope="col" class="number">
                From the cache
              </th>
              <th scope="col" class="number">
                Kept
              </th>
              <th scope="col" class="number">
                Median
              </th>
              <th scope="col" class="number">
                95 %
              </th>
            </tr>
          </thead>
          <tbody>
            {profiles.map(({ name, mode, verdicts, hitRatio, latency, cache }) => (
              <tr key={name}>
                <th scope="row">
                  {name}
                  {mode === 'monitor' ? <span class="muted block">only monitors</span> : null}
                </th>
                <td data-label="Verdicts">
                  <Counts verdicts={verdicts} />
                </td>
                <td data-label="From cache" class="number">
                  {share(hitRatio)}
                </td>
                <td data-label="Kept" class="number">
                  {count(cache.positive + cache.negative)} of {count(cache.size)}
                </td>
                <td data-label="Median" class="number">
                  {took(latency.p50Seconds)}
                </td>
                <td data-label="95 %" class="number">
                  {took(latency.p95Seconds)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
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
        <div class="scroller">
          <table class="stacking">
            <caption class="unseen">Destinations with their verdicts and queues, the busiest first</caption>
            <thead>
              <tr>
                <th scope="col">Destination</th>
                <th scope="col">Verdicts</th>
                <th scope="col" class="number">
                  From the cache
                </th>
                <th scope="col" class="number">
                  Waiting
                </th>
                <th scope="col" class="number">
                  Asked
                </th>
                <th scope="col" class="number">
                  Sessions
                </th>
              </tr>
            </thead>
            <tbody>
              {destinations.slice(0, most).map(({ key, profile, verdicts, hitRatio, waiting, asking, sessions }) => (
                <tr key={`${profile} ${key}`}>
                  <th scope="row" class="mono">
                    {key === 'other' ? `all others of ${profile}` : key}
                  </th>
                  <td data-label="Verdicts">
                    <Counts verdicts={verdicts} />
                  </td>
                  <td data-label="From cache" class="number">
                    {share(hitRatio)}
                  </td>
                  <td data-label="Waiting" class="number">
                    {count(waiting)}
                  </td>
                  <td data-label="Asked" class="number">
                    {count(asking)}
                  </td>
                  <td data-label="Sessions" class="number">
                    {count(sessions.connecting + sessions.idle + sessions.busy)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More most={most} all={destinations.length} onMore={() => setMost(most + PAGE)} />
    </Card>
  );
}

export function Listeners({ status: { listeners } }: Readonly<{ status: Status }>) {
  return (
    <Card title="Listeners">
      <div class="scroller">
        <table class="stacking">
          <caption class="unseen">Listeners with their sockets and sessions</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Listens on</th>
              <th scope="col">Profile</th>
              <th scope="col" class="number">
                Open
              </th>
              <th scope="col" class="number">
                Sessions
              </th>
            </tr>
          </thead>
          <tbody>
            {listeners.map(({ name, sockets, profile, sessions, sessionsTotal }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td data-label="Listens on">
                  <span class="mono">{sockets.join(' ')}</span>
                </td>
                <td data-label="Profile">{profile ?? 'no call-ahead'}</td>
                <td data-label="Open" class="number">
                  {sessions}
                </td>
                <td data-label="Sessions" class="number">
                  {sessionsTotal}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

export function Threads({ status: { threads, residentBytes } }: Readonly<{ status: Status }>) {
  return (
    <Card title="Threads" aside={<span class="muted">{bytes(residentBytes)} of memory in all</span>}>
      <table>
        <caption class="unseen">Threads, how late each is at most and what it holds</caption>
        <thead>
          <tr>
            <th scope="col">Thread</th>
            <th scope="col" class="number">
              Late by
            </th>
            <th scope="col" class="number">
              Heap
            </th>
          </tr>
        </thead>
        <tbody>
          {threads.map(({ thread, lagSeconds, heapBytes }) => (
            <tr key={thread}>
              <th scope="row">{thread}</th>
              <td class="number">{took(lagSeconds)}</td>
              <td class="number">{bytes(heapBytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
