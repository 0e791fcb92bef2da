import type { RawReply } from './reply.ts';

/** Keeps what was said on a connection: the opening and the latest lines, so that a connection of a thousand recipients costs no more than one of ten. */
export type Transcript = Readonly<{
  said(line: string): void;
  heard(reply: RawReply): void;
  note(text: string): void;
  lines(): readonly string[];
}>;

const FIRST = 32;
const LATEST = 64;

export function createTranscript(): Transcript {
  const first: string[] = [];
  const latest: string[] = [];
  let dropped = 0;

  function add(line: string): void {
    if (first.length < FIRST) {
      first.push(line);
      return;
    }
    latest.push(line);
    if (latest.length < 2 * LATEST) return;
    latest.splice(0, LATEST);
    dropped += LATEST;
  }

  return {
    said: (line) => add(`C: ${line}`),
    heard(reply) {
      const last = reply.lines.length - 1;
      reply.lines.forEach((text, i) => {
        add(`S: ${reply.code}${i < last ? '-' : ' '}${text}`);
      });
    },
    note: (text) => add(`-- ${text}`),
    lines() {
      const gap = dropped > 0 ? [`-- ${dropped} lines left out`] : [];
      return [...first, ...gap, ...latest].map((line) => line.replace(/[^\x20-\x7e]/g, '?').slice(0, 600));
    },
  };
}
