import type { Hop } from '@callahead/core';
import test from 'ava';
import { mergePort, type Port } from '../../packages/routing/src/ports.ts';
import { createSmtpRoutesStage } from '../../packages/routing/src/smtp-routes.ts';
import { requestFor } from '../support/routing.ts';

const none: Port = { port: null, portFrom: 'default' };
const ldap: Port = { port: 9025, portFrom: 'ldap' };

/** SPEC 5.3, a cell each: what the host comes with, what the route's host says, what counts. */
const cells: readonly (readonly [title: string, host: Port, route: number | null, counts: Port])[] = [
  ["without a directory and without a route's port it is the default port", none, null, none],
  ["without a directory the route's port counts", none, 2525, { port: 2525, portFrom: 'route' }],
  ["a directory's port counts where the route's host has none", ldap, null, ldap],
  ["a directory's port counts over the route's", ldap, 2525, ldap],
];

for (const [title, host, route, counts] of cells) {
  test(title, (t) => t.deepEqual(mergePort(host, route), counts));
}

function ldapHost(name: string, port: number | null = null): Hop {
  return { name, port, portFrom: port === null ? 'default' : 'ldap', lookup: 'mx' };
}

function routed(hosts: readonly Hop[], routePort: number | null): readonly string[] {
  const portFrom = routePort === null ? 'default' : 'route';
  const to: Hop = { name: 'routed.internal', port: routePort, portFrom, lookup: 'mx', preference: 0 };
  const stage = createSmtpRoutesStage(new Map([['.corp', { kind: 'hosts', hops: [to] }]]), () => 0);
  const request = requestFor('anna@example.com');
  const next = stage({ kind: 'hops', recipient: request.recipient, named: 'operator', hops: hosts }, request);
  return next.kind === 'hops' ? next.hops.map((hop) => `${hop.name} ${hop.port ?? ''} ${hop.portFrom}`) : ['discard'];
}

test('one host of a directory without a port goes where the route says, on its port', (t) => {
  t.deepEqual(routed([ldapHost('a.corp')], 2525), ['routed.internal 2525 route']);
  t.deepEqual(routed([ldapHost('a.corp')], null), ['routed.internal  default']);
});

test("one host with a port goes where the route says, on the directory's port", (t) => {
  t.deepEqual(routed([ldapHost('a.corp', 9025)], 2525), ['routed.internal 9025 ldap']);
  t.deepEqual(routed([ldapHost('a.corp', 9025)], null), ['routed.internal 9025 ldap']);
});

test('of several hosts each is routed by itself, and keeps its port where it has one', (t) => {
  const hosts = [ldapHost('a.corp'), ldapHost('b.corp', 9025), ldapHost('c.example'), ldapHost('d.example', 9026)];
  t.deepEqual(routed(hosts, 2525), [
    'routed.internal 2525 route',
    'routed.internal 9025 ldap',
    'c.example  default',
    'd.example 9026 ldap',
  ]);
  t.deepEqual(routed(hosts.slice(0, 2), null), ['routed.internal  default', 'routed.internal 9025 ldap']);
});

test('several hosts that meet in one server are one server', (t) => {
  t.deepEqual(routed([ldapHost('a.corp'), ldapHost('b.corp'), ldapHost('c.corp', 2525)], 2525), [
    'routed.internal 2525 route',
  ]);
});
