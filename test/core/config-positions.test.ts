import test from 'ava';
import { atEnd, inProfile } from '../support/bad-configurations.ts';
import { problemsIn, smallest } from '../support/configuration.ts';

inProfile(
  'an undefined variable is one problem',
  `heloName: "\${NAME}"`,
  `12:15: \${NAME}: the environment has no variable NAME`,
);
inProfile('a key stands once', 'servers: ex2.corp.example', '12:5: YAML: Map keys must be unique');
atEnd(
  'an open bracket is a problem of YAML',
  'dns: {timeout: 5',
  '16:1: YAML: Flow map in block collection must be sufficiently indented and end with a }',
);
atEnd('an alias needs its anchor', 'drainTimeout: *nothing', '15:15: YAML: the alias *nothing has no anchor before it');
atEnd('a key is a plain word', '? [a, b]\n: 5', '15:3: YAML: a key must be a plain word');
atEnd('the file is one document', '---\nhostname: b.example', '15:1: YAML: a second document begins: expected one');

test('every problem of a file is found, in the order of the file', (t) => {
  const text = smallest
    .replace('mx1.gateway.example', '""')
    .replace('callAheadProfile: corp', 'callAheadProfile: none')
    .replace('ex1.corp.example', 'a.example:0')
    .replace('action: accept', 'action: acept');
  t.deepEqual(
    problemsIn(text).map((problem) => problem.replace(/(^[^ ]+ [^ ]+:).*/, '$1')),
    [
      '1:11: hostname:',
      '6:23: listeners.inbound.callAheadProfile:',
      '11:14: callAheadProfiles.corp.servers:',
      '14:36: recipientAccess.inbound[0].action:',
    ],
  );
});

test('an empty file misses its host name, and serves nothing', (t) => {
  t.deepEqual(problemsIn(''), [
    '1:1: hostname: missing: expected a host name',
    '1:1: warning: no listener: nothing to serve',
  ]);
});

test('a file that is no mapping is refused', (t) => {
  t.deepEqual(problemsIn('- hostname'), ['1:1: ["hostname"] is not right: expected keys and values']);
});

test('nested aliases cannot multiply a few lines into millions of values', (t) => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi', 'ij']) {
    lines.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(', ')}]`);
  }
  const started = performance.now();
  t.true(
    problemsIn(lines.join('\n')).some((problem) =>
      problem.endsWith('aliases repeat too much: expected at most 10000 values by them'),
    ),
  );
  t.true(performance.now() - started < 10_000);
});

test('a hundred thousand brackets do not exhaust the stack', (t) => {
  t.regex(problemsIn('['.repeat(100_000))[0] ?? '', /YAML/);
});

test('a value that contains itself is refused', (t) => {
  t.true(problemsIn('hostname: &x [*x]').includes('1:15: nested too deeply: expected at most 32 levels'));
});

test('a value that contains itself twice is refused once', (t) => {
  t.is(problemsIn('hostname: &x [*x, *x]').filter((problem) => problem.includes('nested too deeply')).length, 1);
});
