import { ConfigurationError, type Problem, problemLine } from '@callahead/core';
import { type Loaded, parseConfiguration } from '@callahead/core/config';

/** The smallest useful file: one front door, one server that knows the recipients of one domain. */
export const smallest = `
hostname: mx1.gateway.example
listeners:
  inbound:
    type: public
    listen: ["127.0.0.1:2525"]
    callAheadProfile: corp
    recipientAccess: inbound
    postmaster: postmaster@example.com
callAheadProfiles:
  corp:
    servers: ex1.corp.example
recipientAccess:
  inbound:
    - {match: example.com, action: accept}
`.trimStart();

/** `files` are those that the text may name, by their path. */
export function load(
  text: string,
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Loaded {
  const readText = (file: string): string | Error => files[file] ?? new Error(`ENOENT: no such file, open '${file}'`);
  return parseConfiguration(text, { file: 'callahead.yaml', env, cores: 4, readText });
}

/** What is wrong with a text, as `LINE:COLUMN: message`; nothing where it can be used without a doubt. */
export function problemsIn(text: string, env: Readonly<Record<string, string>> = {}): readonly string[] {
  return problems(text, env, {}).map((problem) => problemLine('', problem).slice(1));
}

/** The same with the files that the text names, and as `FILE:LINE:COLUMN: message`. */
export function problemsWith(files: Readonly<Record<string, string>>, text: string): readonly string[] {
  return problems(text, {}, files).map((problem) => problemLine('callahead.yaml', problem));
}

function problems(
  text: string,
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
): readonly Problem[] {
  try {
    return load(text, env, files).warnings;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}
