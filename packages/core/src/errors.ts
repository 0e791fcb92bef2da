/** One thing that is wrong with a configuration file. `line` and `column` count from 1. */
export type Problem = Readonly<{ severity: 'error' | 'warning'; line: number; column: number; message: string }>;

/** A configuration that cannot be used, with every problem found, not only the first. */
export class ConfigurationError extends Error {
  readonly problems: readonly Problem[];
  constructor(file: string, problems: readonly Problem[]) {
    super(problems.map((p) => `${file}:${p.line}:${p.column}: ${p.message}`).join('\n'));
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}
