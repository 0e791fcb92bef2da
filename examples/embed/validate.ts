/**
 * Asks one mail server about a list of addresses, with the engine alone:
 *
 *     node examples/embed/validate.ts 192.0.2.25:25 known@example.com surely-not@example.com
 */
import { createEngine, parseRecipient, staticRoute } from '@callahead/workers';

const [server = '', ...addresses] = process.argv.slice(2);
const [host = '', port = '25'] = server.split(':');
const route = staticRoute({ heloName: 'validator.example', servers: [{ host, port: Number(port) }] });
const engine = createEngine();

async function ask(address: string): Promise<string> {
  const parsed = parseRecipient(address, { smtpUtf8: true });
  if (parsed.kind !== 'ok') return `${address} is no address`;
  const deadlineMs = performance.now() + 30_000;
  const verdict = await engine.validate({ recipient: parsed.recipient, route, deadlineMs, recorder: null });
  return `${address} ${verdict.kind}`;
}

for (const line of await Promise.all(addresses.map(ask))) process.stdout.write(`${line}\n`);
await engine.close(1_000);
