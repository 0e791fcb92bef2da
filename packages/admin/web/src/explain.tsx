/** One recipient, and the way it takes through the gateway. */
import { useEffect, useState } from 'preact/hooks';
import type { Explanation, Problem } from './contract.ts';
import { ExplanationShown, textOf } from './explanation.tsx';
import { Choice, Empty, TextField, Trouble } from './parts.tsx';
import { type Api, troubleOf } from './request.ts';

type Asked =
  | Readonly<{ kind: 'not yet' }>
  | Readonly<{ kind: 'asking' }>
  | Readonly<{ kind: 'explained'; explanation: Explanation }>
  | Readonly<{ kind: 'trouble'; problem: Problem }>;

export type ExplainProps = Readonly<{ api: Api; listeners: readonly string[]; query: URLSearchParams }>;

export function ExplainView({ api, listeners, query }: ExplainProps) {
  const [recipient, setRecipient] = useState(query.get('recipient') ?? '');
  const [listener, setListener] = useState(query.get('listener') ?? '');
  const [client, setClient] = useState(query.get('client') ?? '');
  const [isDry, setIsDry] = useState(false);
  const [asked, setAsked] = useState<Asked>({ kind: 'not yet' });

  async function ask(): Promise<void> {
    if (asked.kind === 'asking') return;
    setAsked({ kind: 'asking' });
    const answer = await api.post<Explanation>('/api/v1/explain', {
      recipient: recipient.trim(),
      ...(listener === '' ? {} : { listener }),
      ...(client.trim() === '' ? {} : { client: client.trim() }),
      dry: isDry,
    });
    if (answer.kind === 'ok') setAsked({ kind: 'explained', explanation: answer.value });
    else setAsked({ kind: 'trouble', problem: troubleOf(answer) });
  }

  // A link from a row is a question already. It never rejects.
  useEffect(() => {
    if (recipient !== '') void ask();
  }, []);

  return (
    <>
      <form
        class="card form"
        onSubmit={(event) => {
          event.preventDefault();
          // As above.
          void ask();
        }}
      >
        <TextField label="Recipient" value={recipient} onInput={setRecipient} placeholder="ann@example.com" required />
        <Choice
          label="Listener"
          value={listener}
          any="the first public one"
          options={listeners}
          onChange={setListener}
        />
        <TextField label="Client address" value={client} onInput={setClient} placeholder="nobody in particular" />
        <div class="actions">
          <div class="check">
            <input
              id="dry"
              type="checkbox"
              checked={isDry}
              onChange={(event) => setIsDry(event.currentTarget.checked)}
            />
            <label for="dry">Dry: ask no server</label>
          </div>
          <button type="submit" class="button primary" aria-disabled={asked.kind === 'asking'}>
            {asked.kind === 'asking' ? 'Asking…' : 'Explain'}
          </button>
        </div>
      </form>
      <p class="unseen" role="status">
        {toldOf(asked)}
      </p>
      <AskedShown asked={asked} />
    </>
  );
}

/** Read aloud: how it ends, not all of it. Trouble is an alert already. */
function toldOf(asked: Asked): string {
  switch (asked.kind) {
    case 'not yet':
    case 'trouble':
      return '';
    case 'asking':
      return 'Asking the server…';
    case 'explained':
      return `${asked.explanation.recipient} gets ${textOf(asked.explanation.reply)}`;
  }
}

function AskedShown({ asked }: Readonly<{ asked: Asked }>) {
  switch (asked.kind) {
    case 'not yet':
      return (
        <Empty title="Why was this recipient refused?">
          The gateway walks it through every step, asks the server afresh, and keeps nothing of it.
        </Empty>
      );
    case 'asking':
      return <Empty title="Asking the server…" />;
    case 'explained':
      return <ExplanationShown explanation={asked.explanation} />;
    case 'trouble':
      return <Trouble problem={asked.problem} />;
  }
}
