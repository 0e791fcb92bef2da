/** Which recipients are wanted; the empty text is whatever. */
import type { VerdictRow } from './contract.ts';

export type Filter = Readonly<{ recipient: string; outcome: string; kind: string; profile: string; server: string }>;

export const ANY: Filter = { recipient: '', outcome: '', kind: '', profile: '', server: '' };

export function filterOf(query: URLSearchParams): Filter {
  const word = (name: keyof Filter): string => query.get(name) ?? '';
  return {
    recipient: word('recipient'),
    outcome: word('outcome'),
    kind: word('kind'),
    profile: word('profile'),
    server: word('server'),
  };
}

/** As the API filters: a part of the address in any case, the others whole. */
export function isWanted(row: VerdictRow, filter: Filter): boolean {
  const is = (wish: string, value: string): boolean => wish === '' || wish === value;
  return (
    is(filter.outcome, row.outcome) &&
    is(filter.kind, row.kind) &&
    is(filter.profile, row.profile) &&
    is(filter.server, row.server) &&
    row.recipient.toLowerCase().includes(filter.recipient.trim().toLowerCase())
  );
}
