import test from 'ava';
import fc from 'fast-check';
import { parseDuration, parseSize } from '../../packages/core/src/config/units.ts';

const msPerUnit = Object.entries({ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 });
const octetsPerUnit = Object.entries({ '': 1, B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 });

test('a whole number with a unit is that many milliseconds, in upper case and with a blank too', (t) => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.constantFrom(...msPerUnit), fc.boolean(), (number, [unit, factor], loud) => {
      const text = loud ? `${number} ${unit.toUpperCase()}` : `${number}${unit}`;
      t.deepEqual(parseDuration(text), { kind: 'value', value: number * factor });
    }),
  );
});

test('a number is seconds, as a number and as a text, with a fraction too', (t) => {
  fc.assert(
    fc.property(fc.nat(100_000_000), (ms) => {
      t.deepEqual(parseDuration(ms / 1000), { kind: 'value', value: ms });
      t.deepEqual(parseDuration(String(ms / 1000)), { kind: 'value', value: ms });
    }),
  );
});

test('a size is a whole number of octets, units being powers of 1024', (t) => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.constantFrom(...octetsPerUnit), (number, [unit, factor]) => {
      t.deepEqual(parseSize(`${number}${unit}`), { kind: 'value', value: number * factor });
    }),
  );
});

test('whatever the text, a duration is a fault or a whole number that is not negative', (t) => {
  const nearly = fc.stringMatching(/^[-+]?[\d.e]{0,6} ?[smhdMKB]{0,3}$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), nearly), (text) => {
      const parsed = parseDuration(text);
      t.true(parsed.kind === 'fault' || (Number.isInteger(parsed.value) && parsed.value >= 0));
    }),
  );
});

test('negative, empty, hexadecimal and exponential amounts are faults', (t) => {
  for (const text of ['', ' ', '-1s', '+1s', '0x10', '1e3', '1.s', '.5s', '1s2s', '1 h 30 m', 's', 'NaN', 'Infinity']) {
    t.is(parseDuration(text).kind, 'fault', text);
  }
  t.is(parseDuration(Number.NaN).kind, 'fault');
  t.is(parseDuration(-1).kind, 'fault');
  t.is(parseSize('50XB').kind, 'fault');
});
