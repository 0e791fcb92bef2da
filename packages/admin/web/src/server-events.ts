/** Server-sent events out of text that comes in pieces (HTML Standard, 9.2.6). */
export type ServerEvent = Readonly<{ event: string; data: string }>;

/** More than any event of ours; a stream that never ends a line is none. */
const MOST_WAITING = 8_388_608;

/** Give it the pieces in order; it returns the events that each completes. Throws where what waits for its end grows out of hand. */
export function createEventParser(): (piece: string) => readonly ServerEvent[] {
  let rest = '';
  return (piece) => {
    const blocks = (rest + piece).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    if (rest.length > MOST_WAITING) throw new Error('an event has no end');
    return blocks.map(eventOf).filter((event) => event.data !== '');
  };
}

function eventOf(block: string): ServerEvent {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^([a-z]+):? ?(.*)$/.exec(line) ?? [];
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  return { event, data: data.join('\n') };
}
