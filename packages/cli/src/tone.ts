import { styleText } from 'node:util';

/** What a piece of text means to who reads it on a terminal. */
export type Tone = 'plain' | 'faint' | 'strong' | 'good' | 'bad' | 'unsure';

const STYLES = { faint: 'dim', strong: 'bold', good: 'green', bad: 'red', unsure: 'yellow' } as const;

/** Colours where the terminal has some and nobody has said NO_COLOR. `text` is fit to print already. */
export function painted(tone: Tone, text: string, stream: NodeJS.WriteStream): string {
  return tone === 'plain' ? text : styleText(STYLES[tone], text, { stream });
}
