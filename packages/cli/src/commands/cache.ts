import type { CacheEntryShown } from '@callahead/admin';
import { parseRecipient } from '@callahead/core';
import { type GatewayClient, openGatewayClient, tell } from '../gateway-client.ts';
import { complain, jsonLine, type Terminal } from '../terminal.ts';
import { printable } from '../visible.ts';
import { count, time } from '../words.ts';

export type CacheShowArguments = Readonly<{ address: string; file: string; json: boolean }>;

/** Shows what the caches of the running gateway hold about an address (SPEC 1.5). Exit codes: 0 shown, even where there is nothing; 1 no gateway answers; 2 usage or configuration. */
export async function cacheShowCommand(
  { address, file, json }: CacheShowArguments,
  terminal: Terminal,
): Promise<number> {
  if (parseRecipient(address, { smtpUtf8: true }).kind !== 'ok')
    return complain(`"${address}" is not right: expected an address, user@domain`, 2, terminal);
  const client = await openGatewayClient(file, terminal);
  if (client === null) return 2;
  const answer = await client.ask(`/api/v1/cache?recipient=${encodeURIComponent(address)}`, 'entries');
  if (answer.kind === 'trouble') return tell(answer, terminal);
  const found = answer.body as Found;
  terminal.stdout.write(json ? jsonLine(found) : foundText(found));
  return 0;
}

/** `what`: `ADDRESS` or `@DOMAIN`. Exactly one of them says what is to be forgotten. */
export type CacheFlushArguments = Readonly<{
  what: string | null;
  server: string | null;
  negative: boolean;
  all: boolean;
  file: string;
  json: boolean;
}>;

/** Lets the running gateway forget cached answers (SPEC 1.5). Exit codes: 0 done; 1 no gateway answers; 2 usage or configuration. */
export async function cacheFlushCommand(given: CacheFlushArguments, terminal: Terminal): Promise<number> {
  const flush = flushOf(given);
  if (flush === null)
    return complain('expected exactly one of ADDRESS, @DOMAIN, --server HOST:PORT, --negative, --all', 2, terminal);
  const client = await openGatewayClient(given.file, terminal);
  return client === null ? 2 : await forget(client, flush, given.json, terminal);
}

async function forget(client: GatewayClient, flush: object, json: boolean, terminal: Terminal): Promise<number> {
  const answer = await client.ask('/api/v1/cache/flush', 'forgotten', flush);
  if (answer.kind === 'trouble') return tell(answer, terminal);
  const { forgotten } = answer.body as Readonly<{ forgotten: number }>;
  const answers = forgotten === 1 ? 'cached answer' : 'cached answers';
  terminal.stdout.write(json ? jsonLine({ forgotten }) : `${count(forgotten)} ${answers} forgotten\n`);
  return 0;
}

/** As the HTTP API has it. */
function flushOf({ what, server, negative, all }: CacheFlushArguments): object | null {
  const wishes = [
    ...(what === null ? [] : [what.startsWith('@') ? { domain: what.slice(1) } : { recipient: what }]),
    ...(server === null ? [] : [{ server }]),
    ...(negative ? [{ negative }] : []),
    ...(all ? [{ all }] : []),
  ];
  const [wish] = wishes;
  return wish === undefined || wishes.length > 1 ? null : wish;
}

type Found = Readonly<{ recipient: string; entries: readonly CacheEntryShown[] }>;

function foundText({ recipient, entries }: Found): string {
  if (entries.length === 0) return `${printable(recipient)}: nothing is cached\n`;
  return entries.map((entry) => `${printable(recipient)}: ${printable(entryText(entry))}\n`).join('');
}

function entryText({
  profile,
  destination,
  kind,
  server,
  reply,
  ref,
  ageSeconds,
  ttlSeconds,
}: CacheEntryShown): string {
  const said = reply === null ? '' : `: ${reply}`;
  const dialogue = ref === '' ? '' : `, ref ${ref}`;
  const age = `${time(ageSeconds * 1_000)} old, ${time(ttlSeconds * 1_000)} left`;
  return `${kind}, by ${server}${said} (profile ${profile}, destination ${destination}, ${age}${dialogue})`;
}
