import { z } from 'zod';
import type { Action } from '../profile.ts';
import type { Reply } from '../verdict.ts';
import { about, either, expecting, flag, section } from './fields.ts';
import { fault, type Parsed, show, value } from './parsed.ts';

const expectedCode = 'a reply code 400..559';
const expectedText = 'one line of printable ASCII, at most 480 octets';

/** A code of RFC 5321 §4.2: 4yz or 5yz, y at most 5. */
export const code = z
  .int(expecting(expectedCode))
  .min(400, expecting(expectedCode))
  .max(559, expecting(expectedCode))
  .refine((number) => number % 100 < 60, expecting(expectedCode))
  .meta(about(expectedCode, 'The basic reply code, 4yz or 5yz.'));

export const line = z
  .string(expecting(expectedText))
  .regex(/^[\x20-\x7e]{1,480}$/, expecting(expectedText))
  .meta(about(expectedText, 'The text of the reply; it may begin with an enhanced code of the same class.'));

/** A reply in place of one that an access table has; what is left out has the value of `byDefault`. */
export function response(byDefault: Readonly<{ code: number; text: string }>, sentence: string) {
  const shape = { code: code.prefault(byDefault.code), text: line.prefault(byDefault.text) };
  return section(shape, sentence).transform((input, context) => separate(input.code, input.text, context));
}

// RFC 3463 §3.8: X.7.1, delivery not authorized, is what an access table says unless its text says more.
export function withEnhanced(reply: Reply): Reply {
  return { ...reply, enhanced: reply.enhanced ?? `${String(reply.code)[0]}.7.1` };
}

const customReply = section(
  { code, text: line, disconnect: flag(false, 'Close the session after this reply; code 421 always does.') },
  'A reply of your own.',
).transform(
  (input, context): Action => ({
    kind: 'reply',
    ...separate(input.code, input.text, context),
    // RFC 5321 §3.8: after a 421 the channel closes.
    disconnect: input.disconnect || input.code === 421,
  }),
);

/** What to do with a verdict that is not valid: one of `words`, or a reply of the operator's own. */
export function action<const Word extends 'accept' | 'reject'>(
  words: readonly [Word, ...Word[]],
  byDefault: NoInfer<Word>,
  sentence: string,
) {
  const expected = either([...words, '{code, text, disconnect}']);
  const word = z.enum(words).transform((kind): Action => ({ kind }));
  return z.union([word, customReply], expecting(expected)).prefault(byDefault).meta(about(expected, sentence));
}

/** Takes the enhanced code off the head of a text. */
function splitEnhanced(basic: number, text: string): Parsed<Readonly<{ enhanced: string | null; text: string }>> {
  const match = /^([245]\.\d{1,3}\.\d{1,3})(?: +(.*))?$/.exec(text);
  if (match === null) return value({ enhanced: null, text });
  const [, enhanced = '', words = ''] = match;
  // RFC 3463 §2: the class of the enhanced code is the class of the basic one.
  if (enhanced[0] !== String(basic)[0]) return fault(`begins with an enhanced code of another class than ${basic}`);
  if (words.trim() === '') return fault('has no words after its enhanced code');
  return value({ enhanced, text: words });
}

/** A reply out of a code and a text that may begin with an enhanced code. */
export function separate(basic: number, text: string, context: z.RefinementCtx): Reply {
  const split = splitEnhanced(basic, text);
  if (split.kind === 'value') return { code: basic, ...split.value };
  const message = `${show(text)} ${split.why}: expected text, or ${String(basic)[0]}.x.y and text`;
  context.addIssue({ code: 'custom', path: ['text'], input: text, message });
  return z.NEVER;
}
