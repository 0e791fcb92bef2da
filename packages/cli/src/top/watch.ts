import type { GatewayClient, Trouble } from '../gateway-client.ts';
import { eventsOf } from './events.ts';
import { type Snapshot, snapshotOf } from './snapshot.ts';

export type Watching = Readonly<{
  /** The gateway is as this says. */
  see(snapshot: Snapshot): void;
  /** Nothing comes from it any more; it is tried again until `signal`. */
  lose(trouble: Trouble): void;
}>;

const AGAIN_MS = 1_000;
/** A snapshot comes once a second. */
const SILENT_MS = 5_000;

/** Follows a gateway over its restarts until `signal`. Resolves with what is wrong where it does not even begin, or with null. Never rejects. */
export async function watch(
  client: GatewayClient,
  { see, lose }: Watching,
  signal: AbortSignal,
): Promise<Trouble | null> {
  let begun = false;
  while (!signal.aborted) {
    const trouble = await follow(client, signal, (snapshot) => {
      begun = true;
      see(snapshot);
    });
    if (signal.aborted) break;
    if (!begun) return trouble;
    lose(trouble);
    await pause(AGAIN_MS, signal);
  }
  return null;
}

/** Until the stream ends, which it does by no wish of ours unless `signal` says so. */
async function follow(client: GatewayClient, signal: AbortSignal, see: (snapshot: Snapshot) => void): Promise<Trouble> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENT_MS);
  try {
    const stream = await client.listen('/api/v1/events', AbortSignal.any([signal, silence.signal]));
    if (stream.kind === 'trouble') return stream;
    for await (const { name, data } of eventsOf(stream.body)) {
      const snapshot = name === 'snapshot' ? snapshotOf(data) : null;
      if (snapshot === null) continue;
      timer.refresh();
      see(snapshot);
    }
    return lost(client, 'it ended the stream');
  } catch (error) {
    return lost(client, silence.signal.aborted ? 'it sends nothing' : (error as Error).message);
  } finally {
    clearTimeout(timer);
  }
}

function lost({ at }: GatewayClient, why: string): Trouble {
  return { kind: 'trouble', lines: [`the gateway at ${at} is lost: ${why}`], exitCode: 1 };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
