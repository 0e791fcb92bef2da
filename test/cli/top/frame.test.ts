import test from 'ava';
import { frame, type Row, type View } from '../../../packages/cli/src/top/frame.ts';
import { profileState, serverState, snapshot } from '../../support/snapshot.ts';

const WIDE = { columns: 200, rows: 100 };

function linesOf(rows: readonly Row[]): string[] {
  return rows.map((row) => row.map(([, text]) => text).join(''));
}

function show(given: Partial<View> = {}, size = WIDE): string[] {
  return linesOf(frame({ now: snapshot(), before: null, sort: 'rate', notice: '', ...given }, size));
}

const offender = { listener: 'inbound', group: 'others', count: 25, at: '2026-11-24T08:13:32.123Z' };

test('a picture has the state, the rates, the profiles, the servers and who is blocked', (t) => {
  const offenders = [{ client: '203.0.113.7', ...offender }];
  const text = show({ now: snapshot({ dhap: { crossings: 1, offenders } }), notice: 'paused' }).join('\n');
  t.regex(text, /^callahead mx1\.gateway\.example 1\.2\.3 {2}ready {2}up 1m 40s {2}12 sessions {2}paused\n/);
  t.regex(text, /\n1\.0 recipients a second \(since the start\) {2}valid 0\.8 {2}unknown 0\.2 /);
  t.regex(text, /\nasking 2 {2}waiting 3 .* blocked 1 {2}memory 120 MB {2}lag 2\.0 ms\n/);
  t.regex(text, /\ncorp +enforce +1\.0 +0\.8 +0\.2 +0 +0 +0 +90% +0\.6 ms +55 ms +91 ms +12\n/);
  t.regex(text, /\nex1\.corp\.example:25 +corp +0\.1 +closed +2 +1 +3 +5 +0 +5\.5 ms/);
  t.regex(text, /\n203\.0\.113\.7 +others +25 08:13:32$/);
});

const SERVERS = [
  serverState({ server: 'c:25', connections: { ...serverState().connections, waiting: 9 } }),
  serverState({ server: 'b:25', breaker: 'open', leftAloneSeconds: 12 }),
  serverState({ server: 'a:25', probes: { ...serverState().probes, valid: 99 } }),
];

test('servers are sorted by what they are asked, by what ails them, or by name', (t) => {
  const now = snapshot({ servers: [SERVERS[1] ?? serverState(), ...SERVERS.toSpliced(1, 1)] });
  const order = (sort: View['sort']): string[] =>
    show({ now, sort })
      .filter((line) => /^[abc]:25/.test(line))
      .map((line) => line.slice(0, 1));
  t.deepEqual(order('rate'), ['a', 'b', 'c']);
  t.deepEqual(order('state'), ['b', 'c', 'a']);
  t.deepEqual(order('name'), ['a', 'b', 'c']);
  t.regex(show({ now }).join('\n'), /b:25 .* open 12s /);
});

test('a server that its canary has found out is told apart, and columns stay where they are', (t) => {
  const servers = [
    serverState({ server: 'a:25', catchAll: true }),
    serverState({ server: 'b:25', suspended: true }),
    serverState({ server: 'c:25', breaker: 'half-open' }),
    serverState({ server: 'd:25', breaker: 'open', leftAloneSeconds: 100 }),
  ];
  const lines = show({ now: snapshot({ servers }), sort: 'state' }).filter((line) => /^(SERVER|.:25)/.test(line));
  const column = lines[0]?.indexOf('STATE') ?? 0;
  t.deepEqual(
    lines.map((line) => line.slice(column - 6, column + 5).trim()),
    ['STATE', 'open 1m 40s', 'half-open', 'suspended', 'catch-all'],
  );
  t.is(new Set(lines.map((line) => line.length)).size, 1);
});

test('no picture is larger than the terminal, whatever the two are', (t) => {
  const many = Array.from({ length: 50 }, (_, i) => i);
  const now = snapshot({
    profiles: many.map((i) => profileState({ name: `profile${i}` })),
    servers: many.map((i) => serverState({ server: `server${i}:25` })),
    dhap: { crossings: 50, offenders: many.map((i) => ({ client: `203.0.113.${i}`, ...offender })) },
  });
  for (const rows of [0, 1, 2, 3, 5, 8, 13, 24, 40, 80, 200])
    for (const columns of [1, 20, 80, 300]) {
      const lines = show({ now }, { columns, rows });
      t.true(lines.length <= rows, `${lines.length} of ${rows}`);
      t.true(lines.every((line) => line.length <= columns));
    }
  const lines = show({ now }, { columns: 80, rows: 24 });
  t.is(lines.length, 24);
  t.regex(lines.join('\n'), /PROFILE.*and \d+ more\n\nSERVER.*and \d+ more\n\nBLOCKED CLIENT/s);
  t.is(show({ now }, { columns: 80, rows: 200 }).filter((line) => /^(profile|server)\d/.test(line)).length, 100);
});

test('a gateway without profiles, servers or anybody blocked has no empty tables', (t) => {
  t.is(show({ now: snapshot({ profiles: [], servers: [] }) }).length, 3);
});

test('nothing that a terminal obeys is shown', (t) => {
  const now = snapshot({ hostname: 'mx\u001b[2J', servers: [serverState({ server: 'ex\u009b1\u202e:25' })] });
  t.notRegex(show({ now }).join(''), /[^\x20-\x7e]/);
});
