/** A text that no log, no JSON and no copy shows: only who asks for it gets it. It travels in packets between threads (`codec`). */
export type Secret = Readonly<{ reveal(): string }>;

export function secretOf(text: string): Secret {
  return Object.freeze(new Sealed(text));
}

/** The one class of its kind: the codec knows by it what to seal again at the other end. */
export class Sealed {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }
}
