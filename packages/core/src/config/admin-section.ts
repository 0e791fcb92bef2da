import { ConfigurationError } from '../errors.ts';
import type { AdminSettings } from '../settings.ts';
import { admin, buildAdmin, checkAdmin } from './admin.ts';
import { errorAt, type Fault, faultsOf, inOrder, merge, problemsOf } from './faults.ts';
import { createFiles } from './files.ts';
import type { ParseOptions } from './parse.ts';
import { isPlain } from './plain.ts';
import { type ReadFile, readYaml } from './positions.ts';
import { jsonSchema } from './schema.ts';

type AdminOptions = Required<Pick<ParseOptions, 'file' | 'env' | 'readText'>>;

/**
 * How a gateway that runs with this text is reached. Nothing but the section `admin` is checked or has to be right, and no file but that of its token is read. Throws
 * ConfigurationError with every problem of that section.
 */
export function parseAdminSection(text: string, { file, env, readText }: AdminOptions): AdminSettings {
  const read = readYaml(text, env);
  if (read.broken) throw new ConfigurationError(file, inOrder(read.problems));
  const written = (isPlain(read.value) ? read.value.admin : null) ?? undefined;
  const parsed = admin.safeParse(written, { reportInput: true });
  const files = createFiles(file, readText);
  const faults = parsed.success ? checkReachable(parsed.data) : faultsOf(parsed.error.issues, jsonSchema, ['admin']);
  const all = [...faults, ...checkAdmin({ admin: written }, files)];
  const problems = merge(problemsWithin(written, read), problemsOf(all, read));
  const settings = problems.length > 0 ? null : buildAdmin(parsed.data, files);
  if (settings === null) throw new ConfigurationError(file, problems);
  return settings;
}

/** Of what was found while the file was read. */
function problemsWithin(written: unknown, { problems, at }: ReadFile): ReadFile['problems'] {
  const keys = isPlain(written) ? Object.keys(written) : [];
  const places = [['admin'], ...keys.map((key) => ['admin', key])].map(at);
  return problems.filter(({ line, column }) => places.some((place) => place.line === line && place.column === column));
}

/** What a gateway may have, and who looks for it cannot use. */
function checkReachable(settings: Pick<AdminSettings, 'listen'> | undefined): readonly Fault[] {
  if (settings === undefined)
    return [
      errorAt(
        ['admin'],
        'missing: a running gateway is reached by it, expected {listen: "127.0.0.1:8025", tokenFile: PATH}',
      ),
    ];
  if (settings.listen.port !== 0) return [];
  return [
    errorAt(['admin', 'listen'], 'port 0 is another one at each start: expected the port of the running gateway'),
  ];
}
