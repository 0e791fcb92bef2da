/** One thing that is wrong with a configuration file. `line` and `column` count from 1. `file`: the table it is in, where that is not the configuration file itself. */
export type Problem = Readonly<{
  severity: 'error' | 'warning';
  file?: string;
  line: number;
  column: number;
  message: string;
}>;

/** A configuration that cannot be used, with every problem found, not only the first. */
export class ConfigurationError extends Error {
  readonly problems: readonly Problem[];
  constructor(file: string, problems: readonly Problem[]) {
    super(problems.map((problem) => problemLine(file, problem)).join('\n'));
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

/** A problem as compilers write it, `FILE:LINE:COLUMN: message`; a warning says that it is one. */
export function problemLine(main: string, { severity, file = main, line, column, message }: Problem): string {
  return `${file}:${line}:${column}: ${severity === 'warning' ? 'warning: ' : ''}${message}`;
}
