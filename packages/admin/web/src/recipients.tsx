/** The last recipients, and which of them one wants to see. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { VerdictRow } from './contract.ts';
import { ANY, type Filter, filterOf, isWanted } from './filter.ts';
import { Icon } from './icons.tsx';
import type { Live } from './live.ts';
import { Badge, Choice, Empty, KindBadge, TextField } from './parts.tsx';
import { hashOf } from './place.ts';
import { More, Table } from './table.tsx';
import { clock, count, plural } from './words.ts';

const KIND_NAMES = ['valid', 'unknown', 'refused', 'temporary', 'failed', 'bypassed', 'unchecked', 'unasked'];
const PAGE = 100;
/** While rows come, for they are drawn four times a second. */
const MOST_RUNNING = 200;

export type RecipientsProps = Readonly<{ live: Live; query: URLSearchParams; refill: () => Promise<void> }>;

export function RecipientsView({ live, query, refill }: RecipientsProps) {
  const [filter, setFilter] = useState(() => filterOf(query));
  const [frozen, setFrozen] = useState<readonly VerdictRow[] | null>(null);
  const [most, setMost] = useState(PAGE);
  const rows = frozen ?? live.rows;
  const shown = useMemo(() => rows.filter((row) => isWanted(row, filter)), [rows, filter]);
  const drawn = frozen === null ? Math.min(most, MOST_RUNNING) : most;
  // What stays the same is not drawn anew with every snapshot.
  const table = useMemo(() => <Rows rows={shown.slice(0, drawn)} />, [shown, drawn]);
  const since = frozen?.[0]?.id ?? 0;
  const fresh = frozen === null ? 0 : live.rows.filter((row) => row.id > since && isWanted(row, filter)).length;
  const { skipped } = live;

  useEffect(() => setFilter(filterOf(query)), [query]);
  useEffect(() => {
    setMost(PAGE);
    // What came too fast may be just what is looked for; it never rejects.
    if (skipped > 0) void refill();
  }, [filter]);

  return (
    <>
      <Filters filter={filter} live={live} onChange={setFilter} />
      <div class="row">
        <p class="muted" role="status">
          {frozen === null ? '' : `Paused; ${plural(fresh, 'more recipient')} since.`}
        </p>
        <button
          type="button"
          class="button"
          aria-pressed={frozen !== null}
          onClick={() => setFrozen(frozen === null ? live.rows : null)}
        >
          <Icon name={frozen === null ? 'pause' : 'play'} />
          {frozen === null ? 'Pause' : 'Go on'}
        </button>
      </div>
      {shown.length === 0 ? <Nothing hasRows={rows.length > 0} clear={() => setFilter(ANY)} /> : table}
      {frozen === null && drawn === MOST_RUNNING && shown.length > drawn ? (
        <p class="muted">Pause to see all {count(shown.length)}.</p>
      ) : (
        <More most={drawn} all={shown.length} onMore={() => setMost(drawn + PAGE)} />
      )}
      {skipped > 0 ? (
        <p class="muted">{plural(skipped, 'recipient')} came too fast to be shown here one by one.</p>
      ) : null}
    </>
  );
}

function Nothing({ hasRows, clear }: Readonly<{ hasRows: boolean; clear: () => void }>) {
  if (!hasRows) return <Empty title="No recipient has come yet">Each RCPT TO is a line here, as it is answered.</Empty>;
  return (
    <Empty title="None of the last recipients is like that">
      <button type="button" class="button" onClick={clear}>
        Show all
      </button>
    </Empty>
  );
}

function Filters({
  filter,
  live,
  onChange,
}: Readonly<{ filter: Filter; live: Live; onChange: (filter: Filter) => void }>) {
  const set = (part: Partial<Filter>): void => onChange({ ...filter, ...part });
  const { profiles = [], servers = [] } = live.status ?? {};
  return (
    <search class="filters">
      <TextField
        label="Recipient"
        type="search"
        value={filter.recipient}
        placeholder="part of the address"
        onInput={(recipient) => set({ recipient })}
      />
      <Choice
        label="Outcome"
        value={filter.outcome}
        any="any"
        options={['accepted', 'rejected']}
        onChange={(outcome) => set({ outcome })}
      />
      <Choice label="Verdict" value={filter.kind} any="any" options={KIND_NAMES} onChange={(kind) => set({ kind })} />
      <Choice
        label="Profile"
        value={filter.profile}
        any="any"
        options={profiles.map(({ name }) => name)}
        onChange={(profile) => set({ profile })}
      />
      <Choice
        label="Server"
        value={filter.server}
        any="any"
        options={[...new Set(servers.map(({ server }) => server))]}
        onChange={(server) => set({ server })}
      />
    </search>
  );
}

function Rows({ rows }: Readonly<{ rows: readonly VerdictRow[] }>) {
  return (
    <div class="card">
      <Table
        name="recipients"
        caption="The last recipients, newest first"
        heads={['Recipient', 'Time', 'Reply', 'Verdict', 'Answered by', 'Client', 'Reference']}
      >
        {rows.map((row) => (
          <Row key={row.id} row={row} />
        ))}
      </Table>
    </div>
  );
}

function Row({ row }: Readonly<{ row: VerdictRow }>) {
  const { at, recipient, outcome, kind, source, profile, server, code, reason, ref, monitor, client, listener } = row;
  const known =
    source === 'cache' || source === 'shared' ? `from the ${source === 'shared' ? 'shared ' : ''}cache` : source;
  return (
    <tr>
      <th scope="row">
        <a class="mono" href={hashOf('explain', { recipient, listener, client })} aria-label={`Explain ${recipient}`}>
          {recipient}
        </a>
      </th>
      <td data-label="Time">
        <time dateTime={at} title={at}>
          {clock(at)}
        </time>
      </td>
      <td data-label="Reply">
        <Badge
          tone={outcome === 'accepted' ? 'valid' : toneOf(code)}
          icon={outcome === 'accepted' ? 'valid' : 'unasked'}
        >
          {code} {outcome}
        </Badge>
      </td>
      <td data-label="Verdict">
        <KindBadge kind={kind} />
        {monitor ? <span class="muted block">only monitored</span> : null}
        {reason !== '' && reason !== kind ? <span class="muted block">{reason}</span> : null}
      </td>
      <td data-label="Answered by">
        {server === '' ? <span class="muted">nobody was asked</span> : <span class="mono">{server}</span>}
        {known === '' ? null : <span class="muted block">{[known, profile].filter(Boolean).join(', ')}</span>}
      </td>
      <td data-label="Client" class="mono">
        {client}
        <span class="muted block">{listener}</span>
      </td>
      <td data-label="Reference" class="mono">
        {ref}
      </td>
    </tr>
  );
}

function toneOf(code: number): string {
  return code < 500 ? 'temporary' : 'refused';
}
