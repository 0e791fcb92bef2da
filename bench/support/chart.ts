/** Bars as an SVG that a repository's page shows in a light and in a dark theme. */
import { figure } from './statistics.ts';

/** `ours` is drawn in colour. A value that is no finite number has no bar. */
export type Bar = Readonly<{ label: string; value: number; ours: boolean }>;

export type Panel = Readonly<{ title: string; bars: readonly Bar[] }>;

const WIDTH = 860;
const LABELS = 210;
const VALUES = 90;
const ROW = 24;
const HEAD = 34;
const TOP = 56;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 16px; font-weight: 600; fill: #24292f }
  .panel { font-weight: 600; fill: #24292f }
  .ours { fill: #1a7f37; font-weight: 600 }
  rect { fill: #afb8c1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #8b949e }
    .title, .panel { fill: #e6edf3 }
    .ours { fill: #3fb950 }
    rect { fill: #484f58 }
  }
  rect.ours { fill: #2da44e }
`;

/** Draws panels one below the other, each on its own scale. */
export function chart(title: string, note: string, panels: readonly Panel[]): string {
  const parts: string[] = [];
  let top = TOP;
  for (const panel of panels) {
    parts.push(`<text class="panel" x="0" y="${top + 16}">${escaped(panel.title)}</text>`);
    top += HEAD;
    const most = Math.max(...panel.bars.map(({ value }) => value).filter(Number.isFinite));
    for (const bar of panel.bars) {
      parts.push(draw(bar, top, most));
      top += ROW;
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top + 8}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="0" y="18">${escaped(title)}</text>`,
    `<text x="0" y="38">${escaped(note)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function draw({ label, value, ours }: Bar, top: number, most: number): string {
  const width = Number.isFinite(value) ? Math.max(1, ((WIDTH - LABELS - VALUES) * value) / most) : 0;
  const kind = ours ? ' class="ours"' : '';
  return [
    `<text${kind} x="${LABELS - 8}" y="${top + 14}" text-anchor="end">${escaped(label)}</text>`,
    `<rect${kind} x="${LABELS}" y="${top + 2}" width="${width.toFixed(1)}" height="${ROW - 8}" rx="2"/>`,
    `<text${kind} x="${(LABELS + width + 6).toFixed(1)}" y="${top + 14}">${figure(value)}</text>`,
  ].join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
