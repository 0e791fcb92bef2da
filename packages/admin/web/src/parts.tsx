/** What several views are built of. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Problem, VerdictCounts } from './contract.ts';
import { KINDS } from './history.ts';
import { Icon, type IconName, isIcon } from './icons.tsx';
import { count } from './words.ts';

export function Card({
  title,
  aside,
  children,
}: Readonly<{ title: string; aside?: ComponentChildren; children: ComponentChildren }>) {
  const id = useId();
  return (
    <section class="card" aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** A word with its sign and colour: each alone would do. */
export function Badge({
  tone,
  icon,
  children,
}: Readonly<{ tone: string; icon: IconName; children: ComponentChildren }>) {
  return (
    <span class={`badge tone-${tone}`}>
      <Icon name={icon} size={14} />
      {children}
    </span>
  );
}

export function KindBadge({ kind }: Readonly<{ kind: string }>) {
  return (
    <Badge tone={kind} icon={isIcon(kind) ? kind : 'unchecked'}>
      {kind}
    </Badge>
  );
}

/** How many verdicts there were of each kind that there was. */
export function Counts({ verdicts }: Readonly<{ verdicts: VerdictCounts }>) {
  const said = KINDS.filter((kind) => verdicts[kind] > 0);
  if (said.length === 0) return <span class="muted">none yet</span>;
  return (
    <span class="counts">
      {said.map((kind) => (
        <span key={kind} class={`tone-text-${kind}`}>
          <b>{count(verdicts[kind])}</b> {kind}
        </span>
      ))}
    </span>
  );
}

/** Where there is nothing to show yet, why, and what brings it. */
export function Empty({ title, children }: Readonly<{ title: string; children?: ComponentChildren }>) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  );
}

export function Trouble({ problem }: Readonly<{ problem: Problem }>) {
  const { kind, message, problems = [] } = problem;
  return (
    <div class="trouble" role="alert">
      <p>
        <Icon name="failed" />
        <span>{kind === 'forbidden' ? `Not allowed: ${message}` : sentence(message)}</span>
      </p>
      {problems.length === 0 ? null : (
        <ul class="mono">
          {problems.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function Field({
  label,
  hint,
  children,
}: Readonly<{
  label: string;
  hint?: string;
  children: (id: string, hintId: string | undefined) => ComponentChildren;
}>) {
  const id = useId();
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, hintId)}
      {hint === undefined ? null : (
        <p class="hint" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}

export type TextFieldProps = Readonly<{
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  placeholder?: string;
  required?: boolean;
  type?: 'text' | 'search' | 'password';
}>;

export function TextField({ label, value, onInput, hint, placeholder, required, type }: TextFieldProps) {
  return (
    <Field label={label} {...(hint === undefined ? {} : { hint })}>
      {(id, hintId) => (
        <input
          id={id}
          // Preact types each kind of input by itself.
          type={(type ?? 'text') as 'text'}
          value={value}
          placeholder={placeholder ?? ''}
          required={required ?? false}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          aria-describedby={hintId}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** `options`: values; the empty one is `any`. */
export function Choice({
  label,
  value,
  options,
  any,
  onChange,
}: Readonly<{
  label: string;
  value: string;
  options: readonly string[];
  any?: string;
  onChange: (value: string) => void;
}>) {
  const all = value === '' || options.includes(value) ? options : [...options, value];
  return (
    <Field label={label}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {any === undefined ? null : <option value="">{any}</option>}
          {all.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Names and values. */
export function Facts({ facts }: Readonly<{ facts: readonly (readonly [string, ComponentChildren])[] }>) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
