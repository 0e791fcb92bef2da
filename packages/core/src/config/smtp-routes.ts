import { isIP } from 'node:net';
import { z } from 'zod';
import { parseDomain } from '../domain.ts';
import type { Problem } from '../errors.ts';
import type { Hop } from '../profile.ts';
import type { SmtpRoute, SmtpRoutes } from '../settings.ts';
import { parseEndpoint } from './endpoints.ts';
import { errorAt, type Fault, inOrder } from './faults.ts';
import { about, count, expecting, section, text } from './fields.ts';
import { linesOf, type TableLine } from './files.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import { isPlain, type Plain } from './plain.ts';
import type { ReadFile } from './positions.ts';

const entryWords = 'domain, .domain or ALL';
const hostWords = 'host[:port], [IPv6]:port or [host], perhaps with /pri=N';
const routeWords = `${hostWords}, or a list of them or of {host, port, priority}; USEDNS; /dev/null`;
const MAX_PRIORITY = 65_535;

const host = section(
  {
    host: text(parseBareHost, 'host, [IPv6] or [host]', 'A host; in brackets its MX is not looked up.'),
    port: z
      .int(expecting('1..65535'))
      .min(1, expecting('1..65535'))
      .max(65_535, expecting('1..65535'))
      .optional()
      .meta(about('1..65535', "Its port; left out, the directory's, else 25.")),
    priority: count(0, 0, MAX_PRIORITY, 'Lower ones first, equal ones in turns.'),
  },
  'One host of a route.',
).transform(({ host: bare, port, priority }): Hop => {
  return { ...bare, port: port ?? null, portFrom: port === undefined ? 'default' : 'route', preference: priority };
});

const route = z
  .union(
    [
      z.string().transform((input, context): SmtpRoute => {
        const { route: read, faults } = readRoute(input);
        for (const { message } of faults) context.addIssue({ code: 'custom', input, message });
        return read ?? z.NEVER;
      }),
      z
        .array(z.union([text(parseHost, hostWords, 'A host.'), host], expecting(hostWords)), expecting(routeWords))
        .min(1, expecting(routeWords))
        .transform((hops): SmtpRoute => ({ kind: 'hosts', hops: byPreference(hops) })),
    ],
    expecting(routeWords),
  )
  .meta(about(routeWords, 'Where mail for it goes.'));

export const smtpRoutes = z
  .preprocess(
    (input) => input ?? {},
    z.record(
      z.string().refine((entry) => parseEntry(entry).kind === 'value', {
        error: ({ input }) => `${show(input)} is nothing that a route is for: expected ${entryWords}`,
      }),
      route,
      expecting(`${entryWords}, each with its route`),
    ),
  )
  .prefault({})
  .meta(
    about(
      `from ${entryWords} to ${routeWords}`,
      'Where mail goes in place of the hosts that DNS names; of several entries the most specific one holds.',
    ),
  );

export const smtpRoutesFile = text(
  value<string>,
  'a path',
  'A file with more routes, a line each: domain: host[:port] [/pri=N], …; # begins a comment.',
).optional();

/** A route of a file. */
export type RouteRow = TableLine & Readonly<{ entry: string; route: SmtpRoute }>;

/** A file of routes: those of its lines that are right, and what is wrong with the others. */
export type RouteTable = Readonly<{ name: string; rows: readonly RouteRow[]; problems: readonly Problem[] }>;

/** Reads the lines of a file of routes. A domain that is given twice is a problem that names both places. */
export function readRouteTable(name: string, contents: string): RouteTable {
  const rows = new Map<string, RouteRow>();
  const problems: Problem[] = [];
  for (const at of linesOf(contents)) {
    const complain = (message: string, offset = 0): void => {
      problems.push({ severity: 'error', file: name, line: at.line, column: at.column + offset, message });
    };
    const colon = at.text.indexOf(':');
    const written = at.text.slice(0, colon === -1 ? undefined : colon).trimEnd();
    const entry = parseEntry(written);
    if (colon === -1 || entry.kind === 'fault') {
      complain(
        `${show(written)} ${entry.kind === 'fault' ? entry.why : 'has no route'}: expected ${entryWords}, ":" and its route`,
      );
      continue;
    }
    const { route: read, faults } = readRoute(at.text.slice(colon + 1));
    for (const { message, offset } of faults) complain(message, colon + 1 + offset);
    if (read === null) continue;
    const first = rows.get(entry.value);
    if (first === undefined) rows.set(entry.value, { ...at, entry: entry.value, route: read });
    else complain(twice(written, `${name}:${first.line}:${first.column}`));
  }
  return { name, rows: [...rows.values()], problems };
}

/** What is wrong with the routes as they stand in the configuration and in its file of routes. `main` names the configuration. */
export function checkSmtpRoutes(
  root: Plain,
  main: Readonly<{ name: string; file: ReadFile }>,
  table: (path: string) => RouteTable | Error,
): Readonly<{ faults: readonly Fault[]; problems: readonly Problem[] }> {
  const faults: Fault[] = [];
  const places = new Map<string, string>();
  for (const written of isPlain(root.smtpRoutes) ? Object.keys(root.smtpRoutes) : []) {
    const entry = parseEntry(written);
    if (entry.kind === 'fault') continue;
    const path = ['smtpRoutes', written];
    const first = places.get(entry.value);
    const { line, column } = main.file.atKey(path);
    if (first === undefined) places.set(entry.value, `${main.name}:${line}:${column}`);
    else faults.push({ ...errorAt(path, twice(written, first)), blame: 'key' });
  }
  if (typeof root.smtpRoutesFile !== 'string') return { faults, problems: [] };
  const read = table(root.smtpRoutesFile);
  if (read instanceof Error) return { faults: [...faults, errorAt(['smtpRoutesFile'], read.message)], problems: [] };
  const problems = read.rows.flatMap(({ entry, line, column }): Problem[] => {
    const first = places.get(entry);
    if (first === undefined) return [];
    return [{ severity: 'error', file: read.name, line, column, message: twice(entry, first) }];
  });
  return { faults, problems: inOrder([...read.problems, ...problems]) };
}

/** The routes of the configuration and those of its file, which was checked. */
export function buildSmtpRoutes(
  written: Readonly<Record<string, SmtpRoute>>,
  file: string | undefined,
  table: (path: string) => RouteTable | Error,
): SmtpRoutes {
  const read = file === undefined ? null : table(file);
  const rows = read === null || read instanceof Error ? [] : read.rows;
  const routes = new Map(rows.map(({ entry, route: to }) => [entry, to] as const));
  for (const [key, to] of Object.entries(written)) {
    const entry = parseEntry(key);
    if (entry.kind === 'value') routes.set(entry.value, to);
  }
  return routes;
}

function twice(entry: string, first: string): string {
  return `${show(entry)} has a route already, at ${first}: expected one`;
}

/** The key of the table: a domain as A-labels in lower case, `.domain`, `ALL`. */
function parseEntry(input: string): Parsed<string> {
  if (input.toUpperCase() === 'ALL') return value('ALL');
  const dot = input.startsWith('.') ? '.' : '';
  const parsed = parseDomain(input.slice(dot.length));
  if (parsed.kind === 'bad' || parsed.domain.startsWith('[')) return fault('is nothing that a route is for');
  return value(`${dot}${parsed.domain}`);
}

type Read = Readonly<{ route: SmtpRoute | null; faults: readonly Readonly<{ message: string; offset: number }>[] }>;

/** A route as one text. `offset`: where in the text the host stands that is wrong. */
function readRoute(input: string): Read {
  const said = input.trim();
  if (said.toUpperCase() === 'USEDNS') return { route: { kind: 'usedns' }, faults: [] };
  if (said === '/dev/null') return { route: { kind: 'discard' }, faults: [] };
  const hops: Hop[] = [];
  const faults: { message: string; offset: number }[] = [];
  let from = 0;
  for (const part of input.split(',')) {
    const element = part.trim();
    const parsed = parseHost(element);
    if (parsed.kind === 'value') hops.push(parsed.value);
    else
      faults.push({
        message: `${show(element)} ${parsed.why}: expected ${hostWords}`,
        offset: from + part.search(/\S|$/),
      });
    from += part.length + 1;
  }
  return { route: faults.length === 0 ? { kind: 'hosts', hops: byPreference(hops) } : null, faults };
}

/** `host[:port] [/pri=N]` */
function parseHost(input: string): Parsed<Hop> {
  const [, written = '', digits] = /^(.*?)(?:\s*\/pri=(\S*))?$/is.exec(input.trim()) ?? [];
  if (/^usedns$|^\/dev\/null$/i.test(written)) return fault('is no host, it stands alone');
  const preference = digits === undefined ? 0 : Number(/^\d{1,5}$/.test(digits) ? digits : Number.NaN);
  if (!(preference <= MAX_PRIORITY)) return fault(`has the bad priority ${digits} (0..${MAX_PRIORITY} is right)`);
  const [, name, port = ''] = /^\[([^\]:]*)\](:.*)?$/s.exec(written) ?? [];
  const bracketed = name !== undefined && isIP(name) === 0;
  const endpoint = parseEndpoint(bracketed ? `${name}${port}` : written);
  if (endpoint.kind === 'fault') return endpoint;
  const { host: at, port: given, literal } = endpoint.value;
  const lookup = bracketed ? 'address' : 'mx';
  const portFrom = given === null ? 'default' : 'route';
  return value({ name: at, port: given, portFrom, lookup: literal ? 'none' : lookup, preference });
}

function parseBareHost(input: string): Parsed<Pick<Hop, 'name' | 'lookup'>> {
  const parsed = parseHost(input);
  if (parsed.kind === 'fault') return parsed;
  const { name, lookup, port } = parsed.value;
  if (port !== null || /\/pri=/i.test(input)) return fault('has more than the host: the rest has keys of its own');
  return value({ name, lookup });
}

/** As they are tried, equal ones in the order of the file. */
function byPreference(hops: readonly Hop[]): readonly Hop[] {
  return hops.toSorted((a, b) => (a.preference ?? 0) - (b.preference ?? 0));
}
