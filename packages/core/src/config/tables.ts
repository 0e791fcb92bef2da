import type { Files } from './files.ts';
import { show } from './parsed.ts';
import { type PatternTable, readPatternTable } from './pattern-table.ts';
import { type RouteTable, readRouteTable } from './smtp-routes.ts';

/** The tables in files that a configuration names, each parsed once. An Error says, for the key that names it, why it cannot be read. */
export type Tables = Readonly<{
  routes(path: string): RouteTable | Error;
  patterns(path: string): PatternTable | Error;
}>;

export function createTables(files: Files): Tables {
  return { routes: once(files, readRouteTable), patterns: once(files, readPatternTable) };
}

function once<Table>(files: Files, read: (name: string, text: string) => Table): (path: string) => Table | Error {
  const tables = new Map<string, Table | Error>();
  return (path) => {
    const known = tables.get(path);
    if (known !== undefined) return known;
    const file = files.open(path);
    const table =
      file.kind === 'read'
        ? read(file.name, file.text)
        : new Error(`${show(path)} cannot be read (${file.why}): expected a text file`);
    tables.set(path, table);
    return table;
  };
}
