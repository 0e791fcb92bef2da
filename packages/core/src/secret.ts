/** A text that no log, no JSON and no copy shows: only who asks for it gets it. */
export type Secret = Readonly<{ reveal(): string }>;

export function secretOf(text: string): Secret {
  return Object.freeze({ reveal: () => text });
}
