import test from 'ava';
import { parsePathArgument, readMailParameters } from '../../packages/listener/src/smtp/parameters.ts';

test('a path stands in angle brackets', (t) => {
  t.deepEqual(parsePathArgument('<a@b.example>'), { path: 'a@b.example', parameters: [] });
  t.deepEqual(parsePathArgument('<>'), { path: '', parameters: [] });
  t.deepEqual(parsePathArgument(' <a@b.example>'), { path: 'a@b.example', parameters: [] });
});

test('a bracket or a backslash inside quotes does not end the path', (t) => {
  t.is(parsePathArgument('<"a>b"@c.example> SIZE=1')?.path, '"a>b"@c.example');
  t.is(parsePathArgument('<"a\\">b"@c.example>')?.path, '"a\\">b"@c.example');
  t.is(parsePathArgument('<a>"b@c.example>'), null);
});

for (const text of [
  'a@b.example',
  '',
  '<a@b.example',
  '<"a@b.example>',
  'x <a@b.example>',
  '<a@b.example>SIZE=1',
  '<a> =1',
  '<a> SIZE=',
  '<a> SIZE==',
  '<a> \u0000',
  '<a> +X=1',
]) {
  test(`${JSON.stringify(text)} is no path with parameters`, (t) => {
    t.is(parsePathArgument(text), null);
  });
}

test('keywords are the same in both cases, values are kept', (t) => {
  t.deepEqual(parsePathArgument('<> size=12  Body=8bitmime SMTPUTF8 ')?.parameters, [
    { keyword: 'SIZE', value: '12' },
    { keyword: 'BODY', value: '8bitmime' },
    { keyword: 'SMTPUTF8', value: null },
  ]);
});

test('a path is UTF-8, and what is not becomes a character that no address has', (t) => {
  const octets = Buffer.from('<jürgen@b.example>').toString('latin1');
  t.is(parsePathArgument(octets)?.path, 'jürgen@b.example');
  t.is(parsePathArgument('<\xff@b.example>')?.path, '\ufffd@b.example');
});

/** What MAIL with these parameters declares, or the reply to it. */
function declare(text: string): unknown {
  const declared = readMailParameters(parsePathArgument(`<> ${text}`)?.parameters ?? [], 1_000);
  return 'code' in declared ? `${declared.code} ${declared.enhanced}` : declared;
}

test('MAIL declares size, body and SMTPUTF8', (t) => {
  t.deepEqual(declare(''), { body: '7BIT', smtpUtf8: false, size: null });
  t.deepEqual(declare('SMTPUTF8 BODY=8BITMIME SIZE=1000'), { body: '8BITMIME', smtpUtf8: true, size: 1_000 });
  t.deepEqual(declare('body=7bit SIZE=0'), { body: '7BIT', smtpUtf8: false, size: 0 });
});

const REFUSED: readonly [string, string][] = [
  ['SIZE=1001', '552 5.3.4'],
  ['SIZE=99999999999999999999', '552 5.3.4'],
  ['SIZE=x', '501 5.5.4'],
  ['SIZE', '501 5.5.4'],
  ['SIZE=-1', '501 5.5.4'],
  ['BODY=BINARYMIME', '501 5.5.4'],
  ['BODY', '501 5.5.4'],
  ['SMTPUTF8=yes', '501 5.5.4'],
  ['SIZE=1 size=1', '501 5.5.4'],
  ['RET=FULL', '555 5.5.4'],
  ['ENVID=x', '555 5.5.4'],
  ['AUTH=<>', '555 5.5.4'],
  ['FOO', '555 5.5.4'],
];
for (const [text, wanted] of REFUSED) {
  test(`MAIL with ${text} gets ${wanted}`, (t) => {
    t.is(declare(text), wanted);
  });
}
