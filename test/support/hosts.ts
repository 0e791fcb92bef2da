import {
  compileHostAccess,
  EVERYBODY,
  type HostAccess,
  type HostPattern,
  type Policy,
  parseHostPattern,
} from '@callahead/core';

/** Throws where a text is no pattern. */
export function hostPatterns(...texts: readonly string[]): readonly HostPattern[] {
  return texts.map((text) => {
    const parsed = parseHostPattern(text);
    if (parsed.kind === 'bad') throw new Error(parsed.message);
    return parsed.pattern;
  });
}

export function policyOf(name: string, changes: Partial<Policy> = {}): Policy {
  return { ...EVERYBODY.policy, ...changes, name };
}

/** A table of groups by name, each with its patterns; the policy has the group's name. */
export function hostTable(groups: Readonly<Record<string, readonly string[]>>): HostAccess {
  return compileHostAccess(
    Object.entries(groups).map(([name, texts]) => ({ name, patterns: hostPatterns(...texts), policy: policyOf(name) })),
  );
}
