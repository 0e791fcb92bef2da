import { type AccessPattern, parseAccessPattern } from '../access/access-pattern.ts';
import type { Problem } from '../errors.ts';
import { linesOf } from './files.ts';

/** A file of recipient patterns: those of its lines that are right, in their order, and what is wrong with the others. */
export type PatternTable = Readonly<{
  name: string;
  patterns: readonly AccessPattern[];
  problems: readonly Problem[];
}>;

/** Reads a file of recipient patterns, one a line. */
export function readPatternTable(name: string, contents: string): PatternTable {
  const patterns: AccessPattern[] = [];
  const problems: Problem[] = [];
  for (const { text, line, column } of linesOf(contents)) {
    const parsed = parseAccessPattern(text);
    if (parsed.kind === 'ok') patterns.push(parsed.pattern);
    else problems.push({ severity: 'error', file: name, line, column, message: parsed.message });
  }
  return { name, patterns, problems };
}
