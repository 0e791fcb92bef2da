import { createCanaries } from '@callahead/admin';
import type { Canary, Profile, Step, Verdict } from '@callahead/core';
import test from 'ava';
import { recipientOf } from '../support/recipients.ts';
import { profileOf, requestFor } from '../support/routing.ts';
import { createTimers } from '../support/timers.ts';

const CANARY: Canary = {
  valid: recipientOf('known@example.com'),
  invalid: recipientOf('no@example.com'),
  intervalMs: 300_000,
};
const UNKNOWN: Verdict = {
  kind: 'unknown',
  source: 'cache',
  server: 'mad:25',
  reply: { code: 550, enhanced: '5.1.1', text: 'No' },
  ref: 'ref1',
};

const profile = (name: string, canary: Canary | null): Profile => ({ ...profileOf(null, name), canary });
const profiles = (...all: readonly Profile[]) => new Map(all.map((one) => [one.name, one]));

/** Every known-good recipient is refused by the server `mad:25`, every other one accepted. */
function open() {
  const timers = createTimers();
  const asked: string[] = [];
  const canaries = createCanaries({
    async ask(name, { address }) {
      asked.push(name);
      if (address === 'known@example.com') return { ...UNKNOWN, source: 'server' };
      return { kind: 'valid', source: 'server', server: 'mad:25' };
    },
    forget: async () => {},
    emit() {},
    random: () => 0.7,
    ...timers,
  });
  return { ...timers, canaries, asked };
}

test('what a suspended server refuses is a failure, now or later; what it accepts, what others say and other profiles stay as they are', async (t) => {
  const { pass, canaries } = open();
  const corp = profile('corp', CANARY);
  canaries.renew(profiles(corp, profile('other', null)));
  await pass(0);
  const judged = (verdict: Verdict, about = corp) =>
    canaries.guard(() => verdict)(requestFor('a@example.com', { profile: about }));
  for (const kind of ['unknown', 'refused'] as const) {
    t.like(judged({ ...UNKNOWN, kind }), {
      kind: 'failed',
      cause: 'policy',
      source: 'cache',
      server: 'mad:25',
      ref: 'ref1',
    });
  }
  const later = canaries.guard(async () => UNKNOWN)(requestFor('a@example.com', { profile: corp }));
  t.is((await later).kind, 'failed');
  const same: readonly Verdict[] = [
    { kind: 'valid', source: 'server', server: 'mad:25' },
    { ...UNKNOWN, kind: 'temporary' },
    { ...UNKNOWN, server: 'sane:25' },
    { ...UNKNOWN, server: '' },
  ];
  for (const verdict of same) t.is(judged(verdict), verdict);
  t.is(judged(UNKNOWN, profile('other', null)), UNKNOWN);
});

test('who looks is told what the canary says', async (t) => {
  const { pass, canaries } = open();
  const corp = profile('corp', CANARY);
  canaries.renew(profiles(corp));
  await pass(0);
  const steps: Step[] = [];
  const recorder = (step: Step): void => void steps.push(step);
  canaries.guard(() => UNKNOWN)(requestFor('a@example.com', { profile: corp, recorder }));
  t.like(steps[0], { stage: 'canary', facts: { server: 'mad:25', rejections: 'suspended', accepts: 'everybody' } });
});

test('a canary whose settings stay goes on over a renewal, another one begins anew, and one that is gone ends', async (t) => {
  const { pass, canaries, asked, waiting } = open();
  canaries.renew(profiles(profile('corp', CANARY), profile('other', CANARY)));
  await pass(0);
  t.is(canaries.states().length, 2);
  canaries.renew(profiles(profile('corp', { ...CANARY }), profile('other', { ...CANARY, intervalMs: 10_000 })));
  t.deepEqual(
    canaries.states().map((state) => state.profile),
    ['corp'],
  );
  asked.length = 0;
  await pass(0);
  t.deepEqual(asked, ['other', 'other']);
  canaries.renew(profiles(profile('corp', null)));
  t.deepEqual(canaries.states(), []);
  t.is(waiting(), 0);
});

test('closed, none asks any more', async (t) => {
  const { pass, canaries, asked } = open();
  canaries.renew(profiles(profile('corp', CANARY)));
  canaries.close();
  await pass(1_000_000);
  t.deepEqual(asked, []);
});
