import { parseArgs } from 'node:util';

/** What may follow the name of a bench. `rounds` and `seconds` are null where the bench decides. */
export type Options = Readonly<{
  rounds: number | null;
  seconds: number | null;
  /** Only the servers whose names contain one of these. */
  only: readonly string[];
  profile: boolean;
}>;

/** Throws on an option that no bench knows. */
export function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      profile: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
    },
  });
  return {
    rounds: toNumber('rounds', values.rounds),
    seconds: toNumber('seconds', values.seconds),
    only: values.only?.split(',') ?? [],
    profile: values.profile,
  };
}

function toNumber(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} wants a number above 0, not ${text}`);
  return value;
}
