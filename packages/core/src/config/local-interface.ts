import { isIP } from 'node:net';
import { type Interfaces, isOfFamily, type LocalInterface } from '../local-address.ts';
import { canonicalAddress } from './endpoints.ts';
import { type Fault, warningAt } from './faults.ts';
import { either, text } from './fields.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import { isPlain, keysOf, type Plain } from './plain.ts';
import type { Path } from './positions.ts';

const EXPECTED = 'auto, the name of an interface, or a local address';

/** What connections come from; `auto` where nothing else is said. */
export function localInterface(sentence: string) {
  return text(parseLocalInterface, EXPECTED, sentence).prefault('auto');
}

/** An interface, or an address, that this machine does not have. A warning, for the file may be checked elsewhere and the interface come up later. */
export function checkInterfaces(root: Plain, interfaces: Interfaces): readonly Fault[] {
  const profiles = keysOf(root, 'callAheadProfiles').map(([name, settings]) => ({
    path: ['callAheadProfiles', name, 'interface'],
    input: settings.interface,
  }));
  const delivery = isPlain(root.delivery) ? [{ path: ['delivery', 'interface'], input: root.delivery.interface }] : [];
  return [...profiles, ...delivery].flatMap(({ path, input }) => missing(path, input, interfaces));
}

export function parseLocalInterface(input: string): Parsed<LocalInterface> {
  const trimmed = input.trim();
  if (trimmed === 'auto') return value({ kind: 'auto' });
  // A zone says which link a link-local address is of; none of those is ever bound.
  const address = canonicalAddress(trimmed.replace(/%.*$/, ''));
  if (address !== null) return value({ kind: 'address', address });
  // What Linux takes for a name, IFNAMSIZ less the final NUL.
  if (!/^[^\s/]{1,15}$/.test(trimmed)) return fault('is no name of an interface');
  return value({ kind: 'name', name: trimmed });
}

function missing(path: Path, input: unknown, interfaces: Interfaces): readonly Fault[] {
  const parsed = parseLocalInterface(typeof input === 'string' ? input : 'auto');
  if (parsed.kind === 'fault' || parsed.value.kind === 'auto') return [];
  const names = either(['auto', ...Object.keys(interfaces), 'a local address']);
  if (parsed.value.kind === 'name') {
    if (Object.hasOwn(interfaces, parsed.value.name)) return [];
    return [warningAt(path, `${show(input)} is no interface of this machine now: expected ${names}`)];
  }
  if (isLocal(parsed.value.address, interfaces)) return [];
  return [warningAt(path, `${show(input)} is no address of this machine now: expected ${names}`)];
}

function isLocal(address: string, interfaces: Interfaces): boolean {
  // All of 127/8 is ours, though only one of it is listed (RFC 1122 §3.2.1.3).
  if (isOfFamily(address, 4) && address.startsWith('127.')) return true;
  return Object.values(interfaces).some((addresses) =>
    addresses.some((one) => isIP(one) !== 0 && canonicalAddress(one) === address),
  );
}
