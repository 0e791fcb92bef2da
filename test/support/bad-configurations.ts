import test from 'ava';
import { problemsIn, smallest } from './configuration.ts';

/** Declares a test: the smallest file with `from` replaced by `to` is wrong in just these ways. */
export function replaced(title: string, from: string, to: string, ...problems: readonly string[]): void {
  test(title, (t) => {
    t.true(smallest.includes(from));
    t.deepEqual(problemsIn(smallest.replace(from, () => to)), problems);
  });
}

/** The same, for a line more in the profile: it stands in line 12. */
export function inProfile(title: string, line: string, ...problems: readonly string[]): void {
  const servers = '    servers: ex1.corp.example\n';
  replaced(title, servers, `${servers}    ${line}\n`, ...problems);
}

/** The same, for a line more in the listener: it stands in line 8. */
export function inListener(title: string, line: string, ...problems: readonly string[]): void {
  replaced(title, '    postmaster:', `    ${line}\n    postmaster:`, ...problems);
}

/** The same, for a line more at the end: it stands in line 15. */
export function atEnd(title: string, line: string, ...problems: readonly string[]): void {
  const entry = '    - {match: example.com, action: accept}\n';
  replaced(title, entry, `${entry}${line}\n`, ...problems);
}
