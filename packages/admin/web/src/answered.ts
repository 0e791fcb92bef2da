/** Which line of an SMTP dialogue decided about the recipient. */

/** The index of the last line of the reply to the last RCPT, or null: each reply answers the oldest command that has none (RFC 2920). */
export function answeredLine(dialogue: readonly string[]): number | null {
  let open: string[] = [];
  let found: number | null = null;
  let isGreeted = false;
  for (const [place, line] of dialogue.entries()) {
    if (line.startsWith('-- ')) {
      open = [];
      isGreeted = false;
    }
    if (line.startsWith('C: ')) open.push(line.slice(3));
    if (!/^S: \d{3}(?!-)/.test(line)) continue;
    if (!isGreeted) {
      isGreeted = true;
      continue;
    }
    const command = open.shift() ?? '';
    if (/^RCPT TO:/i.test(command)) found = place;
  }
  return found;
}
