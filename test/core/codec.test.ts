import { inspect } from 'node:util';
import test from 'ava';
import { packToMain, packToWorker, unpackToMain, unpackToWorker } from '../../packages/core/src/codec.ts';
import type { ToMain, ToWorker } from '../../packages/core/src/message.ts';
import { secretOf } from '../../packages/core/src/secret.ts';
import { failed, type Verdict } from '../../packages/core/src/verdict.ts';
import { routeTo } from '../support/routes.ts';

const valid: Verdict = { kind: 'valid', source: 'server', server: 'ex1.corp.example:25' };
const unknown = (ref: string): Verdict => ({
  kind: 'unknown',
  source: 'cache',
  server: 'ex1.corp.example:25',
  reply: { code: 550, enhanced: '5.1.1', text: 'No such user' },
  ref,
});

test('a packet is exactly as large as its content and shares its buffer with nothing', (t) => {
  packToMain([{ kind: 'borrow', loan: 'corp secret-of-another-tenant' }]);
  const packet = packToMain([{ kind: 'beat' }]);
  t.is(packet.buffer.byteLength, packet.byteLength);
  t.true(packet.byteLength < 20);
});

test('a hundred valid verdicts take fewer octets than verdicts', (t) => {
  const ids = Array.from({ length: 100 }, (_, i) => 70_000 + i);
  const verdicts = ids.map(() => ({ ...valid }));
  const packet = packToMain([{ kind: 'verdicts', ids, verdicts }]);
  t.true(packet.byteLength < 90, `${packet.byteLength} octets`);
  t.deepEqual(unpackToMain(packet), [{ kind: 'verdicts', ids, verdicts }]);
});

test('verdicts of every kind keep their fields and their order', (t) => {
  const message: ToMain = {
    kind: 'verdicts',
    ids: [9, 3, 4, 5, 1, 12],
    verdicts: [
      valid,
      unknown('a1'),
      unknown('a2'),
      { ...unknown('a3'), kind: 'temporary', reply: { code: 450, enhanced: null, text: '' } } as Verdict,
      failed('no-route', 'nothing to connect to', 'routing', '', 'a4'),
      valid,
    ],
  };
  t.deepEqual(unpackToMain(packToMain([message])), [message]);
});

test('messages of a packet keep their order, batches and others mixed', (t) => {
  const messages: readonly ToWorker[] = [
    { kind: 'lend', loan: 'corp ex1.corp.example:25' },
    {
      kind: 'asks',
      ids: [1, 2, 3],
      destinations: [7, 7, 8],
      recipients: ['a@corp.example', 'ü@corp.example', '"a b"@corp.example'],
      deadlinesMs: [12_345.678, 12_345.678, 5_000_000_000],
      traced: [2],
      fresh: [],
    },
    { kind: 'flush', question: 4, what: { kind: 'all' } },
  ];
  t.deepEqual(unpackToWorker(packToWorker(messages)), messages);
});

test('an empty batch is a batch', (t) => {
  const messages: readonly ToMain[] = [{ kind: 'verdicts', ids: [], verdicts: [] }];
  t.deepEqual(unpackToMain(packToMain(messages)), messages);
});

test('a secret is one again in the thread, and nobody sees it by accident', (t) => {
  const auth = { user: 'gw', password: secretOf('geheim') };
  const [message] = unpackToWorker(
    packToWorker([{ kind: 'destination', destination: 1, route: routeTo([25], { auth }) }]),
  );
  const arrived = message?.kind === 'destination' ? message.route.probe.auth : null;
  t.is(arrived?.user, 'gw');
  t.is(arrived?.password.reveal(), 'geheim');
  t.false(inspect(arrived, { depth: null, showHidden: true }).includes('geheim'));
  t.is(JSON.stringify(arrived), '{"user":"gw","password":{}}');
});
