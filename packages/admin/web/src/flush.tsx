/** How much to forget. */
import { useId, useState } from 'preact/hooks';
import type { Wish } from './cache.tsx';
import { TextField } from './parts.tsx';

const SCOPES = [
  { name: 'recipient', label: 'One recipient', field: 'Recipient', placeholder: 'ann@example.com' },
  { name: 'domain', label: 'One domain', field: 'Domain', placeholder: 'example.com' },
  { name: 'server', label: 'What one server said', field: 'Server', placeholder: 'mail.example.com:25' },
  { name: 'negative', label: 'Every no', field: null },
  { name: 'all', label: 'Everything', field: null },
] as const;

type Scope = (typeof SCOPES)[number];

export function FlushForm({ servers, onWish }: Readonly<{ servers: readonly string[]; onWish: (wish: Wish) => void }>) {
  const [name, setName] = useState<Scope['name']>('recipient');
  const [value, setValue] = useState('');
  const id = useId();
  const scope = SCOPES.find((one) => one.name === name) ?? SCOPES[0];
  return (
    <form
      class="flush"
      onSubmit={(event) => {
        event.preventDefault();
        onWish(wishOf(name, value.trim()));
      }}
    >
      <fieldset class="scopes">
        <legend>What to forget</legend>
        {SCOPES.map((one) => (
          <div class="check" key={one.name}>
            <input
              id={`${id}-${one.name}`}
              type="radio"
              name="scope"
              checked={one.name === name}
              onChange={() => {
                setName(one.name);
                setValue(one.name === 'server' ? (servers[0] ?? '') : '');
              }}
            />
            <label for={`${id}-${one.name}`}>{one.label}</label>
          </div>
        ))}
      </fieldset>
      {scope.field === null ? null : (
        <TextField label={scope.field} value={value} placeholder={scope.placeholder} onInput={setValue} required />
      )}
      <div class="actions">
        <button type="submit" class="button danger">
          Forget…
        </button>
      </div>
    </form>
  );
}

function wishOf(name: Scope['name'], value: string): Wish {
  switch (name) {
    case 'recipient':
      return { flush: { recipient: value }, what: `everything about ${value}` };
    case 'domain':
      return { flush: { domain: value }, what: `everything about recipients at ${value}` };
    case 'server':
      return { flush: { server: value }, what: `everything that ${value} said` };
    case 'negative':
      return { flush: { negative: true }, what: 'every no that it knows' };
    case 'all':
      return { flush: { all: true }, what: 'every verdict that it knows' };
  }
}
