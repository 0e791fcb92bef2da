import test from 'ava';
import { chart } from '../../bench/support/chart.ts';

const bar = (label: string, value: number, ours = false) => ({ label, value, ours });

test('bars are as long as their values, the longest fills the panel', (t) => {
  const svg = chart('Rates', 'a note', [{ title: 'all', bars: [bar('one', 50), bar('two', 100)] }]);
  const widths = [...svg.matchAll(/<rect[^>]* width="([\d.]+)"/g)].map(([, width]) => Number(width));
  t.is(widths.length, 2);
  t.is((widths[0] ?? 0) * 2, widths[1] ?? 0);
});

test('what was not measured has no bar', (t) => {
  const svg = chart('Rates', '', [{ title: 'all', bars: [bar('one', Number.NaN), bar('two', 100)] }]);
  t.regex(svg, /width="0\.0"/);
  t.notRegex(svg, /NaN/);
});

test('ours stand out, and labels are escaped', (t) => {
  const svg = chart('a < b', '', [{ title: 'x & y', bars: [bar('"us"', 1, true)] }]);
  t.regex(svg, /a &lt; b/);
  t.regex(svg, /x &amp; y/);
  t.regex(svg, /<text class="ours"[^>]*>&quot;us&quot;</);
});
