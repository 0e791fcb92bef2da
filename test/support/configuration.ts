import { ConfigurationError, type Problem } from '@callahead/core';
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

export function load(text: string, env: Readonly<Record<string, string>> = {}): Loaded {
  return parseConfiguration(text, { file: 'callahead.yaml', env, cores: 4 });
}

/** What is wrong with a text, as `LINE:COLUMN: message`; nothing where it can be used without a doubt. */
export function problemsIn(text: string, env: Readonly<Record<string, string>> = {}): readonly string[] {
  return problems(text, env).map(
    ({ severity, line, column, message }) =>
      `${line}:${column}: ${severity === 'warning' ? 'warning: ' : ''}${message}`,
  );
}

function problems(text: string, env: Readonly<Record<string, string>>): readonly Problem[] {
  try {
    return load(text, env).warnings;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}
