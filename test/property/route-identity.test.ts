import type { Route } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
import { createAskStage } from '../../packages/routing/src/arrive.ts';
import { createDestinations } from '../../packages/routing/src/destinations.ts';
import { resolveDomain } from '../../packages/routing/src/own-domain.ts';
import { hopTo, requestFor, routeOf } from '../support/routing.ts';
import { lookupIn, TABLE_TTL_MS, tableDns } from '../support/table-dns.ts';

/** What the DNS says about example.com: exchanges, each with a preference and addresses. */
type World = readonly Readonly<{ host: number; preference: number; addresses: readonly number[] }>[];

const world: fc.Arbitrary<World> = fc.uniqueArray(
  fc.record({
    host: fc.integer({ min: 1, max: 4 }),
    preference: fc.constantFrom(10, 20),
    addresses: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 4, selector: (each) => each.host },
);

/** The same world with its records in another order. */
function turned(of: World, seed: number): World {
  const by = seed % of.length;
  return [...of.slice(by), ...of.slice(0, by)].map((each) => {
    const at = seed % each.addresses.length;
    return { ...each, addresses: [...each.addresses.slice(at), ...each.addresses.slice(0, at)] };
  });
}

function tableOf(of: World): Record<string, readonly string[]> {
  return {
    'MX example.com': of.map((each) => `${each.preference} mx${each.host}.example`),
    ...Object.fromEntries(of.map((each) => [`A mx${each.host}.example`, each.addresses.map((n) => `192.0.2.${n}`)])),
  };
}

/** What must not change unnoticed: who is asked, in which tier, at which addresses. */
function meaningOf(of: World): string {
  const hosts = of.map((each) => `${each.preference} ${each.host} ${[...each.addresses].sort().join(' ')}`);
  return hosts.sort().join(',');
}

/** Asks again and again, a TTL apart, while the DNS says one world after the other. */
async function routesIn(worlds: readonly World[], random: () => number): Promise<Route[]> {
  let clockMs = 0;
  let table = tableOf([]);
  const lookup = lookupIn(
    {},
    {
      dns: { ...tableDns({}), look: (type, name) => aged(tableDns(table).look(type, name), clockMs) },
      now: () => clockMs,
      random,
    },
  );
  const destinations = createDestinations(
    (at) => resolveDomain(at.hops[0] ?? hopTo(''), lookup),
    lookup.dns,
    () => clockMs,
  );
  const stage = createAskStage(destinations, 1, () => clockMs);
  const request = requestFor('anna@example.com');
  const routes: Route[] = [];
  for (const each of worlds) {
    table = tableOf(each);
    clockMs += TABLE_TTL_MS;
    const at = {
      kind: 'hops',
      recipient: request.recipient,
      named: 'recipient',
      hops: [hopTo('example.com')],
    } as const;
    routes.push(routeOf(await stage(at, request)));
  }
  return routes;
}

type Looked = ReturnType<ReturnType<typeof tableDns>['look']>;

function aged(answer: Looked, clockMs: number): Looked {
  if (answer instanceof Promise || answer.kind === 'failed') return answer;
  return { ...answer, expiresAtMs: clockMs + TABLE_TTL_MS };
}

test('the route is the same object if and only if no server, preference or address changed, in whatever order the DNS answers', async (t) => {
  await fc.assert(
    fc.asyncProperty(world, fc.option(world, { nil: null }), fc.nat(), fc.nat(), async (first, other, seed, chance) => {
      const second = turned(other ?? first, seed);
      let step = chance;
      const random = (): number => {
        step = (step * 16_807 + 11) % 2_147_483_647;
        return step / 2_147_483_647;
      };
      const [one, two] = await routesIn([first, second], random);
      t.is(one === two, meaningOf(first) === meaningOf(second));
    }),
  );
});

test('the key knows names and preferences, never addresses nor the order of the answers', async (t) => {
  await fc.assert(
    fc.asyncProperty(world, fc.nat(), fc.integer({ min: 1, max: 250 }), async (first, seed, address) => {
      const second = turned(first, seed).map((each) => ({ ...each, addresses: [address] }));
      const [one, two] = await routesIn([first, second], Math.random);
      t.is(one?.key, two?.key);
      t.notRegex(one?.key ?? '', /192\.0\.2/);
    }),
  );
});
