/** What a client or a server said, made harmless where people and programs read it (SPEC 9.4). */

/** Controls that JSON leaves as they are, what turns the direction of writing, what cannot be seen, and line ends of Unicode. */
const UNSEEN = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/u;
const ALL_UNSEEN = new RegExp(UNSEEN, 'gu');
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const ESCAPE = /\\(?:u[\da-f]{4}|.)/gi;
/** What could end a field of the stable line, and what it is escaped by. */
const FORGING = /[\s<>"\\%]|[\p{C}\p{Z}]/gu;

/** A line of JSON with everything unseen escaped: the same value, for it can stand in strings only. */
export function visibleJson(line: string): string {
  return UNSEEN.test(line) ? line.replace(ALL_UNSEEN, escapeUnits) : line;
}

/** Text from anywhere, fit for a terminal: what it would obey, or what hides or turns other text, stands as its number, as JSON writes it. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escapeUnits);
}

/** As JSON, but so that who parses it and prints the strings as they are prints no control: `\n` is printed as a backslash and an n. */
export function printableJson(line: string): string {
  return visibleJson(line).replace(ESCAPE, (found) => (/^\\["\\/]/.test(found) ? found : `\\${found}`));
}

/** One field of the stable line: nothing in it looks like the end of the field, or like another one. Percent-encoded as UTF-8. */
export function visibleField(text: string): string {
  return text.toWellFormed().replace(FORGING, (found) => {
    return [...Buffer.from(found)].map((octet) => `%${octet.toString(16).padStart(2, '0').toUpperCase()}`).join('');
  });
}

function escapeUnits(found: string): string {
  return Array.from({ length: found.length }, (_, at) => {
    return `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }).join('');
}
