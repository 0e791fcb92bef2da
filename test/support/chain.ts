/** The whole chain in this process: fake servers, the gateway as `callahead serve` runs it before them, and a sender's dialogue. */
import { readFileSync } from 'node:fs';
import type { Event } from '@callahead/core';
import { type Loaded, parseConfiguration } from '@callahead/core/config';
import { type Gateway, openGateway } from '../../packages/cli/src/gateway.ts';
import { play } from './dialogue.ts';
import { type FakeOptions, type FakeServer, startFakeServer } from './fake-server.ts';
import { before, type GatewayFile } from './gateway-settings.ts';

export type Chain = Readonly<{
  servers: readonly FakeServer[];
  port: number;
  events: readonly Event[];
  /** The configuration as a reload will read it: to be changed before one. */
  file: GatewayFile;
  gateway: Gateway;
  /** Plays a dialogue from its first RCPT on; greeting, EHLO and MAIL are said for it. */
  ask(script: string, listener?: string): Promise<string>;
  /** Plays a whole dialogue, as a client at that address of this machine. */
  play(script: string, from?: string, listener?: string): Promise<string>;
  portOf(listener: string): number;
}>;

export type ChainOptions = Readonly<{
  servers?: readonly FakeOptions[];
  profile?: Readonly<Record<string, unknown>>;
  listener?: Readonly<Record<string, unknown>>;
  /** Sections of the file that replace those of `before`. */
  sections?: Readonly<Record<string, unknown>>;
  /** As many listeners, `row0` and so on, each before the server of its place with this profile. */
  rows?: readonly Readonly<Record<string, unknown>>[];
}>;

const OPENING = `
  S: 220
  C: EHLO client.example
  S: 250*
  C: MAIL FROM:<sender@client.example>
  S: 250 2.1.0
`;

/** What a chain wants of a test, or of the hook that opens one for all tests of a file. */
export type Owner = Readonly<{ teardown(close: () => Promise<void>): void; fail(message: string): void }>;

export async function openChain(t: Owner, options: ChainOptions = {}): Promise<Chain> {
  const servers = await Promise.all((options.servers ?? [{ users: ['known@example.com'] }]).map(startFakeServer));
  const file = before(servers.map((server) => server.at).join(', '), options.profile);
  Object.assign(file.listeners.inbound, options.listener);
  Object.assign(file, options.sections);
  for (const [i, profile] of (options.rows ?? []).entries()) {
    const name = `row${i}`;
    file.callAheadProfiles[name] = { ...file.callAheadProfiles.mailboxes, servers: servers[i]?.at, ...profile };
    file.listeners[name] = { ...file.listeners.inbound, callAheadProfile: name };
  }
  const read = (): Loaded =>
    parseConfiguration(JSON.stringify({ drainTimeout: 1, ...file }), {
      file: 'callahead.yaml',
      env: {},
      cores: 2,
      readText: (name) => readFileSync(name, 'utf8'),
    });
  const events: Event[] = [];
  const gateway = await openGateway(read().configuration, {
    file: 'callahead.yaml',
    load: async () => read(),
    applied: () => {},
    emit: (event) => void events.push(event),
    onFatal: (error) => void t.fail(`the engine gave up: ${error.message}`),
  });
  t.teardown(async () => {
    await gateway.drain();
    await Promise.all(servers.map((server) => server.stop()));
  });
  const port = (listener: string): number => Number(gateway.listeners()[listener]?.[0]?.split(':').at(-1));
  return {
    servers,
    port: port('inbound'),
    events,
    portOf: port,
    play: (script, from = '127.0.0.1', listener = 'inbound') => play(port(listener), script, from),
    file,
    gateway,
    ask: (script, listener = 'inbound') => play(port(listener), `${OPENING}${script}`),
  };
}
