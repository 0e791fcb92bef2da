/** What became of a text of the configuration: its value, or why it is none, to stand after the text in a message. */
export type Parsed<T> = Readonly<{ kind: 'value'; value: T }> | Readonly<{ kind: 'fault'; why: string }>;

export function value<T>(parsed: T): Parsed<T> {
  return { kind: 'value', value: parsed };
}

export function fault(why: string): Parsed<never> {
  return { kind: 'fault', why };
}

/** A value as messages quote it: JSON, cut where it grows long. */
export function show(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
