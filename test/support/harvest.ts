/** Clients whose policy has harvest protection. */
import { type Client, EVERYBODY, type HarvestProtection, type Policy } from '@callahead/core';

/** A client of the group `others` that may have `limit` invalid recipients an hour. */
export function clientWith(
  limit: number | null,
  {
    address = '192.0.2.9',
    action = 'accept',
    ...harvest
  }: Partial<HarvestProtection & Readonly<{ address: string; action: Policy['action'] }>> = {},
): Client {
  const policy = {
    ...EVERYBODY.policy,
    name: 'accepted',
    action,
    harvest: { ...EVERYBODY.policy.harvest, limit, ...harvest },
  };
  return { address, admission: { group: 'others', entry: 'ALL', policy } };
}
