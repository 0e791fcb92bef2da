/** What the caches hold about an address, and how to make them forget. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Confirm } from './confirm.tsx';
import type { CacheAnswer, CacheEntryShown, Flush, Problem } from './contract.ts';
import { FlushForm } from './flush.tsx';
import { Card, Empty, KindBadge, TextField, Trouble } from './parts.tsx';
import { type Api, troubleOf } from './request.ts';
import { Figure, Table } from './table.tsx';
import { plural, span } from './words.ts';

type Looked =
  | Readonly<{ kind: 'not yet' }>
  | Readonly<{ kind: 'found'; answer: CacheAnswer }>
  | Readonly<{ kind: 'trouble'; problem: Problem }>;

type Flushed =
  | Readonly<{ kind: 'not yet' }>
  | Readonly<{ kind: 'done'; forgotten: number }>
  | Readonly<{ kind: 'trouble'; problem: Problem }>;

/** What is asked before it is done. */
export type Wish = Readonly<{ flush: Flush; what: string }>;

export type CacheProps = Readonly<{ api: Api; query: URLSearchParams; servers: readonly string[] }>;

export function CacheView({ api, query, servers }: CacheProps) {
  const [recipient, setRecipient] = useState(query.get('recipient') ?? '');
  const [looked, setLooked] = useState<Looked>({ kind: 'not yet' });
  const [wish, setWish] = useState<Wish | null>(null);
  const [flushed, setFlushed] = useState<Flushed>({ kind: 'not yet' });
  const done = useRef<HTMLParagraphElement>(null);

  async function look(): Promise<void> {
    const asked = await api.get<CacheAnswer>(`/api/v1/cache?recipient=${encodeURIComponent(recipient.trim())}`);
    if (asked.kind === 'ok') setLooked({ kind: 'found', answer: asked.value });
    else setLooked({ kind: 'trouble', problem: troubleOf(asked) });
  }

  async function forget({ flush }: Wish): Promise<void> {
    setWish(null);
    const asked = await api.post<Readonly<{ forgotten: number }>>('/api/v1/cache/flush', flush);
    if (asked.kind === 'ok') setFlushed({ kind: 'done', forgotten: asked.value.forgotten });
    else setFlushed({ kind: 'trouble', problem: troubleOf(asked) });
    if (asked.kind === 'ok' && looked.kind === 'found') await look();
  }

  // The button that was pressed may be gone with its entry.
  useEffect(() => {
    if (flushed.kind === 'done' && document.activeElement === document.body) done.current?.focus();
  }, [flushed, looked]);

  // A link may name the address. It never rejects.
  useEffect(() => {
    if (recipient !== '') void look();
  }, []);

  return (
    <>
      <Card title="Look up">
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            // As above.
            void look();
          }}
        >
          <TextField
            label="Recipient"
            value={recipient}
            onInput={setRecipient}
            placeholder="ann@example.com"
            required
          />
          <button type="submit" class="button primary">
            Look up
          </button>
        </form>
        <div class="result" aria-live="polite">
          <LookedShown looked={looked} onForget={setWish} />
        </div>
      </Card>
      <Card title="Forget">
        <FlushForm servers={servers} onWish={setWish} />
        <div class="result" aria-live="polite">
          {flushed.kind === 'done' ? (
            <p class="done" ref={done} tabIndex={-1}>
              {plural(flushed.forgotten, 'verdict')} forgotten. Who comes next is asked about anew.
            </p>
          ) : null}
          {flushed.kind === 'trouble' ? <Trouble problem={flushed.problem} /> : null}
        </div>
      </Card>
      {wish === null ? null : (
        <Confirm
          title="Forget cached verdicts?"
          text={`The gateway forgets ${wish.what}. The servers are asked anew, and routing looks everything up again.`}
          action="Forget"
          onConfirm={() => void forget(wish)}
          onCancel={() => setWish(null)}
        />
      )}
    </>
  );
}

function LookedShown({ looked, onForget }: Readonly<{ looked: Looked; onForget: (wish: Wish) => void }>) {
  switch (looked.kind) {
    case 'not yet':
      return null;
    case 'trouble':
      return <Trouble problem={looked.problem} />;
    case 'found':
      return looked.answer.entries.length === 0 ? (
        <Empty title={`No cache holds anything about ${looked.answer.recipient}`}>
          Its server is asked when it comes next.
        </Empty>
      ) : (
        <Entries entries={looked.answer.entries} onForget={onForget} />
      );
  }
}

function Entries({
  entries,
  onForget,
}: Readonly<{ entries: readonly CacheEntryShown[]; onForget: (wish: Wish) => void }>) {
  return (
    <Table
      caption="What the caches hold"
      heads={[
        'Recipient',
        'Verdict',
        'Said by',
        'Profile',
        { number: 'Age' },
        { number: 'Kept for' },
        { unseen: 'What to do' },
      ]}
    >
      {entries.map(({ profile, destination, recipient, kind, server, reply, ref, ageSeconds, ttlSeconds }) => (
        <tr key={`${profile} ${destination}`}>
          <th scope="row" class="mono">
            {recipient}
          </th>
          <td data-label="Verdict">
            <KindBadge kind={kind} />
            {reply === null ? null : <span class="mono block muted">{reply}</span>}
          </td>
          <td data-label="Said by">
            <span class="mono">{server}</span>
            {ref === '' ? null : <span class="muted block">reference {ref}</span>}
          </td>
          <td data-label="Profile">{profile}</td>
          <Figure label="Age">{span(ageSeconds)}</Figure>
          <Figure label="Kept for">{span(ttlSeconds)}</Figure>
          <td data-label="">
            <button
              type="button"
              class="button"
              aria-label={`Forget ${recipient}`}
              onClick={() => onForget({ flush: { recipient }, what: `everything about ${recipient}` })}
            >
              Forget
            </button>
          </td>
        </tr>
      ))}
    </Table>
  );
}
