import { type Hop, hostPort } from '@callahead/core';
import { DEFAULT_PORT } from './resolved.ts';

const LOOKED_UP = { mx: 'MX, then address', address: 'address only', none: 'as it is' } as const;

/** A host in words, for explain: its port and where that comes from (SPEC 5.3), how it is looked up, its priority where it has one. */
export function describeHop({ name, port, portFrom, lookup, preference }: Hop): string {
  if (lookup === 'unix') return `unix:${name}`;
  const priority = preference === undefined ? '' : `; priority ${preference}`;
  return `${hostPort(name, port ?? DEFAULT_PORT)} (port: ${portFrom}; ${LOOKED_UP[lookup]}${priority})`;
}
