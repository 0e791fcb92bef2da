/** Drawings in the colour of the text around them. They say nothing that the words beside them do not. */
import type { ComponentChildren } from 'preact';

function Drawing({ children, size = 18 }: Readonly<{ children: ComponentChildren; size?: number }>) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

const PATHS = {
  overview: 'M3 15.500l4-5 3.5 3 6.5-8M3 17.500h14',
  recipients: 'M4 5h12M4 10h12M4 15h8',
  explain: 'M5 4.500v5a3 3 0 0 0 3 3h7M12 9.500l3 3-3 3M5 4.500a.5.5 0 1 0 .01 0',
  cache: 'M4 6c0-3 12-3 12 0s-12 3-12 0v8c0 3 12 3 12 0V6M4 10c0 3 12 3 12 0',
  configuration: 'M4 6h7M15 6h1M4 14h1M9 14h7M13 4.500v3M7 12.500v3',
  valid: 'M4.5 10.500l3.5 3.5 7.5-8',
  unknown: 'M7 7.500a3 3 0 1 1 4.300 2.700c-.9.5-1.300 1-1.300 2M10 15.300v.1',
  refused: 'M10 3.500a6.5 6.5 0 1 0 .01 0M5.5 5.500l9 9',
  temporary: 'M10 3.500a6.5 6.5 0 1 0 .01 0M10 6.500V10l2.5 2',
  failed: 'M10 3.500l7 12.500H3zM10 8.500v3.500M10 14v.1',
  bypassed: 'M3.5 13c1-5 5-7 9-5.500M13.5 3.500l.5 5-5 .8',
  unchecked: 'M5 10h10',
  unasked: 'M5.5 5.500l9 9M14.5 5.500l-9 9',
  open: 'M6 9V6.500a4 4 0 0 1 7.5-2M5 9h10v7.500H5z',
  pause: 'M7 5v10M13 5v10',
  play: 'M7 4.500l8.5 5.500L7 15.500z',
  light:
    'M10 6.500a3.5 3.5 0 1 0 .01 0M10 2v1.500M10 16.500V18M2 10h1.500M16.5 10H18M4.300 4.300l1 1M14.700 14.700l1 1M4.300 15.700l1-1M14.700 5.300l1-1',
  dark: 'M15.5 12A6.5 6.5 0 0 1 8 4.5 6.5 6.5 0 1 0 15.5 12z',
  system: 'M3 4h14v9.500H3zM7.5 17h5M10 13.500V17',
  arrow: 'M4 10h11M11 5.500l4.5 4.5-4.5 4.5',
  lock: 'M6.5 9V6.500a3.5 3.5 0 0 1 7 0V9M5 9h10v7.500H5z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: Readonly<{ name: IconName; size?: number }>) {
  return (
    <Drawing size={size}>
      <path d={PATHS[name]} />
    </Drawing>
  );
}

export function isIcon(name: string): name is IconName {
  return Object.hasOwn(PATHS, name);
}

export function Logo() {
  return (
    <svg class="logo" width="30" height="30" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="logo-ground" width="32" height="32" rx="8" />
      <g fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round">
        <path d="M22 24H9a2.5 2.5 0 0 1-2.5-2.500v-9M25.5 14v7.500A2.5 2.5 0 0 1 23 24" stroke-opacity=".6" />
        <path d="M7 12.500l7.5 6.500L26 7.5" />
      </g>
    </svg>
  );
}
