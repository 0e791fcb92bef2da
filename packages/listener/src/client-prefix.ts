import type { HarvestProtection } from '@callahead/core';

/** As whom a client is counted: its literal address, cut to the bits of its family, as `address/bits` in one canonical form. A v4-mapped address is the IPv4 one. */
export function clientPrefix(
  address: string,
  { prefixV4, prefixV6 }: Pick<HarvestProtection, 'prefixV4' | 'prefixV6'>,
): string {
  if (!address.includes(':')) return prefixOfV4(address, prefixV4);
  const groups = groupsOf(address);
  const mapped = mappedV4(groups);
  return mapped === null ? prefixOfV6(groups, prefixV6) : prefixOfV4(mapped, prefixV4);
}

function prefixOfV4(address: string, bits: number): string {
  if (bits >= 32) return `${address}/32`;
  const octets = address.split('.').map((octet, i) => Number(octet) & mask(bits - i * 8, 8));
  return `${octets.join('.')}/${bits}`;
}

function prefixOfV6(groups: readonly number[], bits: number): string {
  const kept = groups.slice(0, Math.ceil(bits / 16)).map((group, i) => (group & mask(bits - i * 16, 16)).toString(16));
  return `${kept.join(':')}${kept.length < 8 ? '::' : ''}/${bits}`;
}

/** The first `bits` of a part of the address that has `width`. */
function mask(bits: number, width: number): number {
  const all = 2 ** width - 1;
  return all - (all >> Math.min(width, Math.max(0, bits)));
}

/** The eight groups of an IPv6 address; a zone is of this machine, not of the client's network (RFC 4007 §11). */
function groupsOf(address: string): readonly number[] {
  const [text = ''] = address.split('%');
  const [front = '', back] = text.split('::');
  const before = partsOf(front);
  if (back === undefined) return before;
  const after = partsOf(back);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/** The last one may be an IPv4 address, which is two groups (RFC 4291 §2.2). */
function partsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** RFC 4291 §2.5.5.2 */
function mappedV4(groups: readonly number[]): string | null {
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : null;
}
