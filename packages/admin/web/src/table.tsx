import type { ComponentChildren } from 'preact';
import { count } from './words.ts';

/** The head of a column; `unseen`: it is read aloud only. */
export type Head = string | Readonly<{ number: string }> | Readonly<{ unseen: string }>;

/** On a narrow screen each row is a block. `name`: a class of its own. */
export function Table({
  caption,
  heads,
  name,
  children,
}: Readonly<{ caption: string; heads: readonly Head[]; name?: string; children: ComponentChildren }>) {
  return (
    <div class="scroller">
      <table class={name === undefined ? 'stacking' : `stacking ${name}`}>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>{heads.map(headShown)}</tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** A cell with a number; `label` stands before it where there are no heads. */
export function Figure({ label, children }: Readonly<{ label: string; children: ComponentChildren }>) {
  return (
    <td data-label={label} class="number">
      {children}
    </td>
  );
}

function headShown(head: Head) {
  if (typeof head === 'string')
    return (
      <th key={head} scope="col">
        {head}
      </th>
    );
  if ('number' in head)
    return (
      <th key={head.number} scope="col" class="number">
        {head.number}
      </th>
    );
  return (
    <th key={head.unseen} scope="col">
      <span class="unseen">{head.unseen}</span>
    </th>
  );
}

/** For what is too long to be shown at once: it would be drawn anew every second. */
export function More({ most, all, onMore }: Readonly<{ most: number; all: number; onMore: () => void }>) {
  if (all <= most) return null;
  return (
    <p class="actions more">
      <button type="button" class="button" onClick={onMore}>
        Show more of {count(all)}
      </button>
    </p>
  );
}
