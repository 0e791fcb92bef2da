import type { Action, Actions, Cause, Decision, Verdict } from '@callahead/core';
import { failed } from '@callahead/core';
import test from 'ava';
import { answer, answerMessage } from '../../packages/listener/src/answer.ts';

const REJECT: Actions = {
  mode: 'enforce',
  onValidationFailure: { kind: 'reject' },
  onTemporaryFailure: { kind: 'reject' },
  onUnknown: { kind: 'reject' },
  onRefused: { kind: 'reject' },
  serverReply: 'mask',
};
const KNOWN = { deliverable: true, reference: 'session7' };
const NOWHERE = { deliverable: false, reference: 'session7' };

type Kind = 'unknown' | 'refused' | 'temporary';

function said(kind: Kind, code: number, enhanced: string | null = null, text = 'mail7.internal says no'): Verdict {
  return { kind, source: 'server', server: 'mail7.internal:25', reply: { code, enhanced, text }, ref: 'ref9' };
}

function line(decision: Decision): string {
  return `${decision.reply.code} ${decision.reply.enhanced} ${decision.reply.text}`;
}

test('a valid recipient is accepted', (t) => {
  const decision = answer({ kind: 'valid', source: 'cache', server: '' }, REJECT, NOWHERE);
  t.deepEqual([decision.kind, decision.reply.code, decision.reply.enhanced], ['accept', 250, '2.1.5']);
});

const CODES: readonly [Kind, number, string | null, string][] = [
  ['unknown', 550, '5.1.1', '550 5.1.1'],
  ['unknown', 550, null, '550 5.1.1'],
  ['unknown', 550, '5.1.10', '550 5.1.10'],
  ['unknown', 556, '5.1.10', '556 5.1.10'],
  ['unknown', 551, null, '551 5.1.6'],
  ['unknown', 521, '5.1.1', '550 5.1.1'],
  ['unknown', 550, '4.1.1', '550 5.1.1'],
  ['refused', 552, null, '552 5.2.2'],
  ['refused', 554, '5.7.1', '554 5.7.1'],
  ['refused', 553, null, '553 5.0.0'],
  ['refused', 599, null, '550 5.0.0'],
  ['temporary', 450, '4.2.0', '450 4.2.0'],
  ['temporary', 452, null, '452 4.0.0'],
  ['temporary', 421, '4.3.2', '451 4.3.2'],
  ['temporary', 459, null, '451 4.0.0'],
];
for (const [kind, code, enhanced, wanted] of CODES) {
  test(`${kind} by ${code} ${enhanced} is told as ${wanted}`, (t) => {
    const decision = answer(said(kind, code, enhanced), REJECT, KNOWN);
    t.true(line(decision).startsWith(`${wanted} `), line(decision));
    t.is(decision.kind === 'reject' && decision.reason, kind);
  });
}

const CAUSES: readonly [Cause, string][] = [
  ['connect', '451 4.4.1'],
  ['timeout', '451 4.4.2'],
  ['dns', '451 4.4.3'],
  ['ldap', '451 4.4.3'],
  ['no-route', '451 4.4.4'],
  ['tls', '451 4.7.5'],
  ['greeting', '451 4.5.0'],
  ['policy', '451 4.5.0'],
  ['protocol', '451 4.5.0'],
  ['overload', '451 4.3.2'],
  ['loop', '451 4.4.6'],
];
for (const [cause, wanted] of CAUSES) {
  test(`a failure by ${cause} is told as ${wanted}`, (t) => {
    const decision = answer(failed(cause, 'connect to mail7.internal'), REJECT, KNOWN);
    t.true(line(decision).startsWith(`${wanted} `), line(decision));
    t.is(decision.kind === 'reject' && decision.reason, `failed-${cause}`);
  });
}

test('a masked reply names the reference and no server', (t) => {
  const texts = [said('unknown', 550), said('refused', 554), said('temporary', 450)].map((verdict) =>
    line(answer(verdict, REJECT, KNOWN)),
  );
  for (const text of texts) {
    t.regex(text, /\(ref9\)$/);
    t.notRegex(text, /internal/);
  }
});

test('the session is the reference where no dialogue stands behind the verdict', (t) => {
  const decision = answer(failed('overload', ''), REJECT, KNOWN);
  t.is(decision.kind === 'reject' && decision.ref, 'session7');
  t.regex(decision.reply.text, /\(session7\)$/);
});

test('the text of a server is passed as one line of at most 480 printable octets', (t) => {
  const hostile = `no\r\n250 2.1.5 yes\u0000\u001b[31m\u2028${'x'.repeat(600)}`;
  const { text } = answer(said('unknown', 550, '5.1.1', hostile), { ...REJECT, serverReply: 'pass' }, KNOWN).reply;
  t.regex(text, /^no 250 2\.1\.5 yes[ -~]*x$/);
  t.true(text.length <= 480);
});

const OPEN: Actions = {
  ...REJECT,
  onValidationFailure: { kind: 'accept' },
  onTemporaryFailure: { kind: 'accept' },
};

test('a failure opens the door where it is meant to and a delivery host is known', (t) => {
  t.is(answer(failed('connect', ''), OPEN, KNOWN).kind, 'accept');
  t.is(answer(said('temporary', 450), OPEN, KNOWN).kind, 'accept');
});

test('nothing is accepted on a failure without a delivery host', (t) => {
  t.regex(line(answer(failed('dns', ''), OPEN, NOWHERE)), /^451 4\.4\.4 /);
  t.regex(line(answer(said('temporary', 450), OPEN, NOWHERE)), /^451 4\.4\.4 /);
});

test('overload and loop never open the door, whatever is configured', (t) => {
  const reply: Action = { kind: 'reply', code: 550, enhanced: null, text: 'no', disconnect: true };
  for (const actions of [OPEN, { ...REJECT, mode: 'monitor' } as const, { ...REJECT, onValidationFailure: reply }]) {
    t.regex(line(answer(failed('overload', ''), actions, KNOWN)), /^451 4\.3\.2 /);
    t.regex(line(answer(failed('loop', ''), actions, KNOWN)), /^451 4\.4\.6 /);
  }
});

test('in monitor mode every other verdict accepts', (t) => {
  const monitor: Actions = { ...REJECT, mode: 'monitor' };
  for (const verdict of [said('unknown', 550), said('refused', 554), said('temporary', 450), failed('connect', '')]) {
    t.is(answer(verdict, monitor, KNOWN).kind, 'accept');
    t.is(answer(verdict, monitor, NOWHERE).kind, 'accept');
  }
});

test('a custom reply is told as it was written, and may end the session', (t) => {
  const onUnknown: Action = { kind: 'reply', code: 554, enhanced: '5.7.9', text: 'Go away', disconnect: true };
  const decision = answer(said('unknown', 550), { ...REJECT, onUnknown }, KNOWN);
  t.is(line(decision), '554 5.7.9 Go away');
  t.is(decision.kind === 'reject' && decision.disconnect, true);
});

test('421 always ends the session', (t) => {
  const onValidationFailure: Action = { kind: 'reply', code: 421, enhanced: null, text: 'Later', disconnect: false };
  const decision = answer(failed('connect', ''), { ...REJECT, onValidationFailure }, KNOWN);
  t.is(line(decision), '421 4.4.1 Later');
  t.is(decision.kind === 'reject' && decision.disconnect, true);
});

test('a message is taken only where the next hop took it', (t) => {
  t.is(answerMessage({ code: 250, enhanced: '2.6.0', text: 'as 77 at mail7.internal' }, 'mask', 'm1').code, 250);
  const refused = answerMessage({ code: 554, enhanced: '5.7.1', text: 'mail7.internal: spam' }, 'mask', 'm1');
  t.deepEqual([refused.code, refused.enhanced], [554, '5.7.1']);
  t.notRegex(refused.text, /internal/);
  t.is(answerMessage({ code: 421, enhanced: null, text: 'bye' }, 'mask', 'm1').code, 451);
  t.is(answerMessage({ code: 554, enhanced: null, text: 'spam' }, 'pass', 'm1').text, 'spam');
});
