import type { Reply } from '../verdict.ts';

/** What a client whose recipients too often do not exist is told (SPEC 6.3). `limit`: recipients an hour; null: as many as it likes. */
export type HarvestProtection = Readonly<{
  limit: number | null;
  reply: Reply;
  disconnect: boolean;
  /** Clients whose addresses share so many bits are counted as one. */
  prefixV4: number;
  prefixV6: number;
  counts: readonly ('rat' | 'unknown' | 'refused')[];
  /** Are recipients of the null sender counted too? */
  nullSender: boolean;
}>;

/** What a group of clients may do (SPEC 6.2). A number that is null has no limit. */
export type Policy = Readonly<{
  name: string;
  /** `relay`: accepted for any recipient, unasked; `refuse`: closed without a banner. */
  action: 'accept' | 'reject' | 'relay' | 'refuse';
  /** Said in place of the text that `reject` has. */
  response: Reply | null;
  maxConnectionsPerHost: number | null;
  maxMessagesPerConnection: number | null;
  maxRecipientsPerMessage: number | null;
  maxRecipientsPerHour: number | null;
  harvest: HarvestProtection;
  bypassCallAhead: boolean;
  tls: 'off' | 'optional' | 'required';
}>;

/** The group that a client belongs to, the entry by which it does, as written, and what it may do; decided once a session. */
export type Admission = Readonly<{ group: string; entry: string; policy: Policy }>;

/** A client of the front door. `address` is literal: behind a trusted proxy the one that the proxy tells. */
export type Client = Readonly<{ address: string; admission: Admission }>;

/** Nobody in particular is refused anything: what a public listener without host access does. */
export const EVERYBODY: Admission = {
  group: '',
  entry: '',
  policy: {
    name: '',
    action: 'accept',
    response: null,
    maxConnectionsPerHost: null,
    maxMessagesPerConnection: null,
    maxRecipientsPerMessage: null,
    maxRecipientsPerHour: null,
    harvest: {
      limit: null,
      reply: { code: 450, enhanced: '4.7.1', text: 'Too many invalid recipients' },
      disconnect: true,
      prefixV4: 32,
      prefixV6: 64,
      counts: ['rat', 'unknown'],
      nullSender: true,
    },
    bypassCallAhead: false,
    tls: 'optional',
  },
};
