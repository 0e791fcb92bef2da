/** The configuration that is in force, and a button for the one that is in the file now. */
import { useEffect, useState } from 'preact/hooks';
import { Confirm } from './confirm.tsx';
import type { Changes, Problem } from './contract.ts';
import { Badge, Card, Empty, Facts, Trouble } from './parts.tsx';
import { type Api, troubleOf } from './request.ts';

/** Of a list of words; a longer one is written down. */
const MOST_IN_A_LINE = 4;

type Tree = Readonly<{ [key: string]: unknown }>;

type Read =
  | Readonly<{ kind: 'reading' }>
  | Readonly<{ kind: 'read'; configuration: Tree }>
  | Readonly<{ kind: 'trouble'; problem: Problem }>;

type Reload =
  | Readonly<{ kind: 'none' }>
  | Readonly<{ kind: 'asking' }>
  | Readonly<{ kind: 'running' }>
  | Readonly<{ kind: 'done'; reloaded: Changes }>
  | Readonly<{ kind: 'trouble'; problem: Problem }>;

export function ConfigurationView({ api, isLive }: Readonly<{ api: Api; isLive: boolean }>) {
  const [read, setRead] = useState<Read>({ kind: 'reading' });
  const [reload, setReload] = useState<Reload>({ kind: 'none' });

  async function fetchIt(): Promise<void> {
    const asked = await api.get<Readonly<{ configuration: Tree }>>('/api/v1/configuration');
    if (asked.kind === 'ok') setRead({ kind: 'read', configuration: asked.value.configuration });
    else setRead({ kind: 'trouble', problem: troubleOf(asked) });
  }

  async function run(): Promise<void> {
    setReload({ kind: 'running' });
    const asked = await api.post<Changes>('/api/v1/reload', {});
    if (asked.kind === 'ok') setReload({ kind: 'done', reloaded: asked.value });
    else setReload({ kind: 'trouble', problem: troubleOf(asked) });
    await fetchIt();
  }

  // It never rejects. A gateway that comes back may have another one.
  useEffect(() => {
    if (isLive || read.kind === 'reading') void fetchIt();
  }, [isLive]);

  return (
    <>
      <div class="row">
        <p class="muted">As loaded, with the defaults of what the file leaves out. Secrets are not shown.</p>
        <button
          type="button"
          class="button"
          aria-disabled={reload.kind === 'running'}
          onClick={() => reload.kind !== 'running' && setReload({ kind: 'asking' })}
        >
          {reload.kind === 'running' ? 'Reloading…' : 'Reload…'}
        </button>
      </div>
      <div aria-live="polite">
        {reload.kind === 'done' ? <ReloadShown reloaded={reload.reloaded} /> : null}
        {reload.kind === 'trouble' ? <Trouble problem={reload.problem} /> : null}
      </div>
      <ReadShown read={read} />
      {reload.kind === 'asking' ? (
        <Confirm
          title="Reload the configuration?"
          text="The gateway reads its file again and puts it to work. No session is lost, and a file with mistakes changes nothing."
          action="Reload"
          onConfirm={() => void run()}
          onCancel={() => setReload({ kind: 'none' })}
        />
      ) : null}
    </>
  );
}

function ReloadShown({ reloaded }: Readonly<{ reloaded: Changes }>) {
  const { generation, opened, closed, kept, restart } = reloaded;
  const facts = [
    ['Opened', opened],
    ['Closed', closed],
    ['Kept', kept],
    ['After a restart', restart],
  ] as const;
  return (
    <div class="card">
      <p class="done">The file is at work. It is configuration {generation} since the start.</p>
      <Facts facts={facts.filter(([, all]) => all.length > 0).map(([name, all]) => [name, all.join(', ')] as const)} />
    </div>
  );
}

function ReadShown({ read }: Readonly<{ read: Read }>) {
  switch (read.kind) {
    case 'reading':
      return <Empty title="Reading…" />;
    case 'trouble':
      return <Trouble problem={read.problem} />;
    case 'read':
      return <Sections configuration={read.configuration} />;
  }
}

function Sections({ configuration }: Readonly<{ configuration: Tree }>) {
  const all = Object.entries(configuration);
  const plain = all.filter(([, value]) => !isTree(value));
  return (
    <div class="sections">
      {plain.length === 0 ? null : (
        <Card title="General">
          <Values tree={Object.fromEntries(plain)} />
        </Card>
      )}
      {all
        .filter(([, value]) => isTree(value))
        .map(([name, value]) => (
          <Card key={name} title={name}>
            <Value value={value} />
          </Card>
        ))}
    </div>
  );
}

/** What the file would say, indented as there. */
function Values({ tree }: Readonly<{ tree: Tree }>) {
  return (
    <ul class="values">
      {Object.entries(tree).map(([name, value]) => (
        <li key={name}>
          <span class="value-name">{name}</span> <Value value={value} />
        </li>
      ))}
    </ul>
  );
}

function Value({ value }: Readonly<{ value: unknown }>) {
  if (value === '(hidden)') {
    return (
      <Badge tone="unchecked" icon="lock">
        hidden
      </Badge>
    );
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return <span class="muted">none</span>;
    if (value.length <= MOST_IN_A_LINE && !value.some((one) => typeof one === 'object'))
      return <span class="mono">{value.join(', ')}</span>;
    return (
      <ol class="values">
        {value.map((one, place) => (
          <li key={place}>
            <Value value={one} />
          </li>
        ))}
      </ol>
    );
  }
  if (isTree(value)) return Object.keys(value).length === 0 ? <span class="muted">none</span> : <Values tree={value} />;
  if (value === null || value === undefined || value === '')
    return <span class="muted">{value === '' ? '""' : 'not set'}</span>;
  return <span class="mono">{String(value)}</span>;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
