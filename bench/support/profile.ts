/** Where a process spends its CPU: reads what `node --cpu-prof` writes, a file for each thread. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure } from './statistics.ts';
import { table } from './table.ts';

/** The part of a .cpuprofile that is read here: `samples` has the id of the node on top of the stack, `timeDeltas` the µs since the last sample. */
export type Profile = Readonly<{
  /** In µs of the monotonic clock, as `process.hrtime`. */
  startTime: number;
  nodes: readonly Readonly<{
    id: number;
    callFrame: Readonly<{ functionName: string; url: string; lineNumber: number }>;
  }>[];
  samples: readonly number[];
  timeDeltas: readonly number[];
}>;

/** Self time in µs, the largest first. */
export type Share = Readonly<{ name: string; us: number }>;

const MOST_FUNCTIONS = 25;

/** Self time by function, named `function file:line`. */
export function functions(profile: Profile): readonly Share[] {
  return sum(profile, ({ functionName, url, lineNumber }) => {
    const name = functionName === '' ? '(anonymous)' : functionName;
    return url === '' ? name : `${name} ${short(url)}:${lineNumber + 1}`;
  });
}

/** Self time by whose code it is. */
export function categories(profile: Profile): readonly Share[] {
  return sum(profile, ({ functionName, url }) => categoryOf(functionName, url));
}

function categoryOf(functionName: string, url: string): string {
  // What V8 itself does stands in parentheses; a native function has no file.
  if (url === '') return functionName.startsWith('(') ? functionName : 'native (sockets, writes, messages)';
  if (url.startsWith('node:')) return 'node';
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(url)?.[1];
  if (dependency !== undefined) return dependency;
  return /packages\/([^/]+)\//.exec(url)?.[1] ?? 'other';
}

function short(url: string): string {
  return url.replace(/^.*node_modules\//, '').replace(/^.*packages\/([^/]+)\/src\//, '$1/');
}

type Frame = Profile['nodes'][number]['callFrame'];

function sum(profile: Profile, nameOf: (frame: Frame) => string): readonly Share[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const totals = new Map<string, number>();
  for (const [at, id] of profile.samples.entries()) {
    const name = names.get(id) ?? '(unknown)';
    totals.set(name, (totals.get(name) ?? 0) + (profile.timeDeltas[at] ?? 0));
  }
  return [...totals].map(([name, us]) => ({ name, us })).toSorted((a, b) => b.us - a.us);
}

/** A profile without what came before and after the window, given in µs of the monotonic clock: starting up is none of what is measured. */
export function cut(profile: Profile, window: Window): Profile {
  let atUs = profile.startTime;
  const kept = profile.timeDeltas.map((us) => {
    atUs += us;
    return atUs >= window.fromUs && atUs < window.toUs;
  });
  return {
    ...profile,
    samples: profile.samples.filter((_, at) => kept[at]),
    timeDeltas: profile.timeDeltas.filter((_, at) => kept[at]),
  };
}

export type Window = Readonly<{ fromUs: number; toUs: number }>;

/** Describes the profile of each thread in a folder; `recipients` of them were answered in the window. */
export function describeProfiles(folder: string, window: Window, recipients: number): string {
  const files = readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'));
  return files
    .toSorted()
    .map((file) => {
      const path = join(folder, file);
      const profile = JSON.parse(readFileSync(path, 'utf8')) as Profile;
      const who = isMain(profile) ? 'main thread' : 'engine thread';
      return `${who}: ${path}\n\n${describe(cut(profile, window), recipients)}`;
    })
    .join('\n\n');
}

function describe(profile: Profile, recipients: number): string {
  const totalUs = profile.timeDeltas.reduce((total, us) => total + us, 0);
  const rows = (shares: readonly Share[]): string[][] =>
    shares.map(({ name, us }) => [name, `${((100 * us) / totalUs).toFixed(1)} %`, figure(us / recipients)]);
  return [
    table(['self time by package', 'share', 'µs a recipient'], rows(categories(profile))),
    table(['self time by function', 'share', 'µs a recipient'], rows(functions(profile).slice(0, MOST_FUNCTIONS))),
  ].join('\n\n');
}

function isMain(profile: Profile): boolean {
  return profile.nodes.some(({ callFrame }) => callFrame.url.endsWith('/smtp-connection.js'));
}
