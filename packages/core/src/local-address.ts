import { isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Which local address a connection comes from: the kernel's choice, an interface's, or this one (SPEC 5.8). */
export type LocalInterface =
  | Readonly<{ kind: 'auto' }>
  | Readonly<{ kind: 'name'; name: string }>
  | Readonly<{ kind: 'address'; address: string }>;

/** Which addresses of a server are connected to. */
export type IpFamily = 'any' | 4 | 6;

/** The addresses of each interface of the machine, by its name. */
export type Interfaces = Readonly<Record<string, readonly string[]>>;

/** `unbound`: nothing is bound. `none`: no address of the interface fits the target, which is skipped. */
export type LocalAddress =
  | Readonly<{ kind: 'unbound' }>
  | Readonly<{ kind: 'bound'; address: string }>
  | Readonly<{ kind: 'none'; detail: string }>;

/** The local address for a connection to a literal address. The same for equal interfaces: the first that the system lists. */
export function localAddressFor(
  target: string,
  local: LocalInterface,
  interfaces: () => Interfaces = machineInterfaces,
): LocalAddress {
  switch (local.kind) {
    case 'auto':
      return { kind: 'unbound' };
    case 'address':
      if (isIP(local.address) === isIP(target)) return { kind: 'bound', address: local.address };
      return { kind: 'none', detail: `${local.address} is of another address family` };
    case 'name': {
      const addresses = interfaces()[local.name];
      if (addresses === undefined) return { kind: 'none', detail: `there is no interface ${local.name}` };
      const address = addresses.find((one) => isIP(one) === isIP(target) && !isLinkLocal(one));
      if (address !== undefined) return { kind: 'bound', address };
      return { kind: 'none', detail: `the interface ${local.name} has no IPv${isIP(target)} address` };
    }
  }
}

export function isOfFamily(address: string, family: IpFamily): boolean {
  return family === 'any' || isIP(address) === family;
}

/** The interfaces of this machine, at this moment. */
export function machineInterfaces(): Interfaces {
  const found = Object.entries(networkInterfaces());
  return Object.fromEntries(found.map(([name, addresses = []]) => [name, addresses.map(({ address }) => address)]));
}

/** fe80::/10 can be bound only together with its zone, and reaches no server that a name leads to (RFC 4007 §6). */
function isLinkLocal(address: string): boolean {
  return isIPv6(address) && /^fe[89ab]/i.test(address);
}
