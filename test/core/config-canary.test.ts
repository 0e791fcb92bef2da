import test from 'ava';
import { inProfile } from '../support/bad-configurations.ts';
import { load, smallest } from '../support/configuration.ts';

function canaryOf(line: string) {
  const servers = '    servers: ex1.corp.example\n';
  const { profiles } = load(smallest.replace(servers, `${servers}    ${line}\n`)).configuration;
  return profiles.get('corp')?.canary;
}

test('a profile has no canary where it names none', (t) => {
  t.is(canaryOf('mode: enforce'), null);
});

test('a canary is two addresses in canonical form, and an interval of five minutes where none is given', (t) => {
  const canary = canaryOf('canary: {valid: Known@Example.COM, invalid: surely-not@example.com}');
  t.is(canary?.valid.address, 'Known@example.com');
  t.is(canary?.invalid.address, 'surely-not@example.com');
  t.is(canary?.intervalMs, 300_000);
});

inProfile(
  'a canary has both',
  'canary: {valid: known@example.com}',
  '12:5: callAheadProfiles.corp.canary.invalid: missing: expected an address with a domain',
);
inProfile(
  'a canary is an address with a domain',
  'canary: {valid: postmaster, invalid: "<no@example.com>"}',
  '12:21: callAheadProfiles.corp.canary.valid: "postmaster" is none: expected an address with a domain',
  '12:42: callAheadProfiles.corp.canary.invalid: "<no@example.com>" is none: expected an address with a domain',
);
inProfile(
  'a canary is asked neither all the time nor never',
  'canary: {valid: a@example.com, invalid: b@example.com, interval: 5s}',
  '12:70: callAheadProfiles.corp.canary.interval: "5s" is too small: expected 10..86400 seconds',
);
inProfile(
  'a canary is asked once a day at least',
  'canary: {valid: a@example.com, invalid: b@example.com, interval: 2d}',
  '12:70: callAheadProfiles.corp.canary.interval: "2d" is too large: expected 10..86400 seconds',
);
