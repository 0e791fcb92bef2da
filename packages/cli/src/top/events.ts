/** Reads `event: NAME` and `data: JSON` of a stream of server-sent events. What is no JSON is left out. Rejects as the stream does, and at an event that is too long. */
const MOST_CHARACTERS = 4_000_000;

export type ServerEvent = Readonly<{ name: string; data: unknown }>;

export async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    if (text.length > MOST_CHARACTERS) throw new Error('the gateway sends an event without an end');
    for (const event of events) {
      const parsed = parseEvent(event);
      if (parsed !== null) yield parsed;
    }
  }
}

function parseEvent(text: string): ServerEvent | null {
  const lines = text.split('\n');
  const field = (name: string): string | null =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null;
  const name = field('event');
  const data = field('data');
  if (name === null || data === null) return null;
  try {
    return { name, data: JSON.parse(data) };
  } catch {
    return null;
  }
}
