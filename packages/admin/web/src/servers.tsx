/** The servers that are asked, and the clients that ask too much. */
import { useState } from 'preact/hooks';
import type { ServerStatus, Status } from './contract.ts';
import { Badge, Card, Counts, Empty } from './parts.tsx';
import { hashOf } from './place.ts';
import { Figure, More, Table } from './table.tsx';
import { clock, plural, span, took } from './words.ts';

const PAGE = 25;

export function Servers({ status: { servers } }: Readonly<{ status: Status }>) {
  const [most, setMost] = useState(PAGE);
  const shown = [...servers.filter(isTroubled), ...servers.filter((server) => !isTroubled(server))].slice(0, most);
  return (
    <Card title="Servers">
      {servers.length === 0 ? (
        <Empty title="No server has been asked yet">The first recipient that is called ahead brings one.</Empty>
      ) : (
        <Table
          name="servers"
          caption="Servers with their state, connections, answers and times"
          heads={['Server', 'State', 'Connections', 'Answers', { number: 'Median' }, { number: '95 %' }]}
        >
          {shown.map((server) => (
            <Server key={`${server.profile} ${server.server}`} server={server} />
          ))}
        </Table>
      )}
      <More most={most} all={servers.length} onMore={() => setMost(most + PAGE)} />
    </Card>
  );
}

/** They come first: what is well may be busier. */
function isTroubled({ breaker, suspended, catchAll }: ServerStatus): boolean {
  return breaker !== 'closed' || suspended || catchAll;
}

function Server({ server }: Readonly<{ server: ServerStatus }>) {
  const { probes, latency } = server;
  return (
    <tr>
      <th scope="row">
        <a class="mono" href={hashOf('recipients', { server: server.server })}>
          {server.server}
        </a>
        <span class="muted block">{server.profile}</span>
      </th>
      <td data-label="State">
        <div class="states">
          <Breaker server={server} />
          <Canary server={server} />
        </div>
      </td>
      <td data-label="Connections">
        <Pool connections={server.connections} />
      </td>
      <td data-label="Answers">
        <Counts verdicts={probes} />
      </td>
      <Figure label="Median">{took(latency.p50Seconds)}</Figure>
      <Figure label="95 %">{took(latency.p95Seconds)}</Figure>
    </tr>
  );
}

function Breaker({ server: { breaker, leftAloneSeconds } }: Readonly<{ server: ServerStatus }>) {
  switch (breaker) {
    case 'closed':
      return (
        <Badge tone="valid" icon="valid">
          in use
        </Badge>
      );
    case 'open':
      return (
        <Badge tone="refused" icon="failed">
          left alone for {span(leftAloneSeconds)}
        </Badge>
      );
    case 'half-open':
      return (
        <Badge tone="temporary" icon="temporary">
          being tried again
        </Badge>
      );
  }
}

/** What its canary says of a server; nothing where there is nothing to say. */
function Canary({ server: { suspended, catchAll } }: Readonly<{ server: ServerStatus }>) {
  return (
    <>
      {suspended && (
        <>
          <Badge tone="refused" icon="failed">
            rejections suspended
          </Badge>
          <span class="muted block">it refuses its canary</span>
        </>
      )}
      {catchAll && (
        <Badge tone="temporary" icon="temporary">
          accepts everybody
        </Badge>
      )}
    </>
  );
}

/** One box a connection that may be open, up to a number that fits. */
function Pool({ connections }: Readonly<{ connections: ServerStatus['connections'] }>) {
  const { busy, idle, connecting, limit, waiting } = connections;
  const boxes = [...Array(Math.min(limit, 20)).keys()].map((place) => {
    if (place < busy) return 'busy';
    if (place < busy + connecting) return 'connecting';
    return place < busy + connecting + idle ? 'idle' : 'free';
  });
  return (
    <div class="pool">
      <span class="boxes" aria-hidden="true">
        {boxes.map((state, place) => (
          <i key={place} class={state} />
        ))}
      </span>
      <span>
        {busy} busy, {idle} idle of {limit}
        {waiting > 0 ? `, ${plural(waiting, 'probe')} waiting` : ''}
      </span>
    </div>
  );
}

export function Offenders({ status: { dhap } }: Readonly<{ status: Status }>) {
  return (
    <Card title="Directory harvesters" aside={<span class="muted">{plural(dhap.crossings, 'crossing')}</span>}>
      {dhap.offenders.length === 0 ? (
        <Empty title="Nobody has asked for too many recipients that are not there" />
      ) : (
        <Table
          caption="Clients that crossed the limit of invalid recipients, newest first"
          heads={['Client', 'Group', { number: 'Invalid' }, 'At', 'Such as']}
        >
          {dhap.offenders.map(({ client, listener, group, count: invalid, at, samples }) => (
            <tr key={`${client} ${listener} ${at}`}>
              <th scope="row" class="mono">
                {client}
              </th>
              <td data-label="Group">{group === '' ? 'none' : group}</td>
              <Figure label="Invalid">{invalid}</Figure>
              <td data-label="At">
                <time dateTime={at}>{clock(at)}</time>
              </td>
              <td data-label="Such as">
                <span class="mono">{samples[0] ?? ''}</span>
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}
