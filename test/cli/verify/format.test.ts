import test from 'ava';
import { FORMATS } from '../../../packages/cli/src/verify/format.ts';
import { invalidResult, nameOf, type Result, readAddress, resultOf } from '../../../packages/cli/src/verify/result.ts';
import { recipientOf } from '../../support/recipients.ts';

const SERVER = { source: 'server', server: 'ex1.corp.example:25' } as const;
const UNKNOWN = resultOf(
  recipientOf('=nobody@example.com'),
  'corp',
  {
    kind: 'unknown',
    ...SERVER,
    reply: { code: 550, enhanced: '5.1.1', text: 'No "such" user, sorry' },
    ref: 'k3x9d1aa',
  },
  false,
);

function invalid(text: string): Result {
  const address = readAddress(text);
  if (address.kind === 'ok') throw new Error(`${text} is an address`);
  return invalidResult(address.text, address.reply);
}

test('a result in JSON has its names, in their order', (t) => {
  const { print } = FORMATS.json;
  t.is(
    print(UNKNOWN),
    '{"recipient":"=nobody@example.com","kind":"unknown","code":550,"source":"server","server":"ex1.corp.example:25","profile":"corp","reply":"550 5.1.1 No \\"such\\" user, sorry","cause":null,"detail":null,"catchAll":false}\n',
  );
  const failed = resultOf(
    recipientOf('ann@example.com'),
    'corp',
    {
      kind: 'failed',
      ...SERVER,
      cause: 'timeout',
      detail: 'nothing came',
      ref: '',
    },
    false,
  );
  t.like(JSON.parse(print(failed)), {
    kind: 'failed',
    code: 451,
    reply: null,
    cause: 'timeout',
    detail: 'nothing came',
  });
});

test('a result in CSV is quoted as RFC 4180 says, and where a spreadsheet would compute', (t) => {
  t.is(
    FORMATS.csv.print(UNKNOWN),
    '"=nobody@example.com",unknown,550,server,ex1.corp.example:25,corp,"550 5.1.1 No ""such"" user, sorry",,,false\r\n',
  );
});

test('a result as text has tabs between', (t) => {
  t.is(
    FORMATS.text.print(UNKNOWN),
    'unknown\t550\t=nobody@example.com\tex1.corp.example:25\t550 5.1.1 No "such" user, sorry\n',
  );
});

test('a yes of a server that accepts everybody is marked', (t) => {
  const valid = resultOf(recipientOf('ann@example.com'), 'corp', { kind: 'valid', ...SERVER }, true);
  t.is(FORMATS.text.print(valid), 'valid\t250\tann@example.com\tex1.corp.example:25\tthe server accepts everybody\n');
  t.like(JSON.parse(FORMATS.json.print(valid)), { kind: 'valid', catchAll: true });
});

for (const [name, { print, read }] of Object.entries(FORMATS)) {
  test(`nothing that a terminal obeys is written as ${name}, and one result is one line`, (t) => {
    const line = print(invalid('a\u001b[2J\t\u009b"b,\u202e\u2028c'));
    t.notRegex(line.replace(/\t|\r?\n$/g, ''), /[\p{C}\p{Zl}\p{Zp}]/u);
    t.is(line.trimEnd().split(/[\n\u2028]/).length, 1);
  });

  test(`what is written as ${name} is read again`, (t) => {
    for (const text of ['"a,b"@example.com', 'a "b" c', 'tab\tbed', '', 'jörg@example.com', '-@example.com']) {
      const address = readAddress(text);
      const result = address.kind === 'ok' ? { ...UNKNOWN, recipient: nameOf(address) } : invalid(text);
      const line = print(result).replace(/\r?\n$/, '');
      t.deepEqual(read(line), { recipient: nameOf(address).replace('\t', '\\u0009'), kind: result.kind });
    }
    for (const line of ['', 'x', '{"recipient":1}', 'a@b.example,unheard,250']) t.is(read(line), null);
  });
}
