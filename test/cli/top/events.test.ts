import test from 'ava';
import { eventsOf, type ServerEvent } from '../../../packages/cli/src/top/events.ts';

async function read(...chunks: readonly (string | Uint8Array)[]): Promise<ServerEvent[]> {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const events: ServerEvent[] = [];
  for await (const event of eventsOf(body())) events.push(event);
  return events;
}

test('events are read, however they are cut', async (t) => {
  const text = Buffer.from(
    ': callahead\n\nevent: snapshot\ndata: {"a":"ä"}\n\nevent: verdicts\ndata: {}\n\nevent: torn',
  );
  const expected = [
    { name: 'snapshot', data: { a: 'ä' } },
    { name: 'verdicts', data: {} },
  ];
  for (let i = 0; i <= text.length; i++) t.deepEqual(await read(text.subarray(0, i), text.subarray(i)), expected);
});

test('what is no event is left out', async (t) => {
  t.deepEqual(await read('event: snapshot\ndata: {"a":\n\nhello\n\nevent: x\n\n'), []);
});

test('an event without an end is not kept for ever', async (t) => {
  const piece = 'x'.repeat(500_000);
  await t.throwsAsync(read(...Array.from({ length: 9 }, () => piece)), { message: /without an end/ });
});
