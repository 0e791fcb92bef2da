import type { JsonSchema } from './faults.ts';
import { jsonSchema } from './schema.ts';

const introduction = `# Configuration

One YAML file (JSON is YAML). Unknown keys, wrong types, numbers out of range and names that are not defined are errors;
\`callahead check -c FILE\` shows all of them with line and column, and \`callahead schema\` prints the JSON Schema of the file.

- A duration is a number of seconds, or a number with a unit: \`500ms\`, \`30s\`, \`15m\`, \`1h\`, \`7d\`.
- A size is a number of octets, or a number with a unit: \`64KB\`, \`50MB\`, \`1GB\`, in powers of 1024.
- \`\${ENV_VAR}\` in a text is replaced by the environment variable; an undefined one is an error.
- A key without a value is a key left out.
- A reply of your own is \`{code, text, disconnect}\`: a code 4yz or 5yz, one line of printable ASCII which may begin with an
  enhanced code of the same class, and whether the session is closed after it (code 421 always closes it).
- NAME stands for a name that you choose: letters, digits, \`.\`, \`_\` and \`-\`, at most 64.

This page is generated from the schema.
`;

/** The reference page, in Markdown: every key with its values, its default and its sentence. */
export function configurationReference(): string {
  const top = Object.entries(jsonSchema.properties ?? {});
  const plain = top.filter(([, schema]) => insideOf(schema) === null);
  const sections = top.flatMap(([key, schema]) => {
    const inside = insideOf(schema);
    return inside === null ? [] : [renderSection(`${key}${inside.suffix}`, schema, inside.schema)];
  });
  const requiredKeys = jsonSchema.required ?? [];
  const general = ['## Top level', '', ...renderTable(plain.map(([key, schema]) => row(key, schema, requiredKeys)))];
  return `${[introduction.trimEnd(), general.join('\n'), ...sections].join('\n\n')}\n`;
}

/** The mapping inside a section: its own keys, those of a named part, or those of an entry of a named list; null where nothing inside has a name of ours. */
function insideOf(schema: JsonSchema): Readonly<{ suffix: string; schema: JsonSchema }> | null {
  if (schema.properties !== undefined) return { suffix: '', schema };
  const element = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : null;
  if (element === null) return null;
  if (element.properties === undefined && element.items === undefined) return null;
  if (element.items !== undefined) return { suffix: '.NAME[]', schema: element.items };
  return { suffix: '.NAME', schema: element };
}

function renderSection(title: string, section: JsonSchema, inside: JsonSchema): string {
  return [`## ${title}`, '', section.description ?? '', '', ...renderTable(rowsOf('', inside))].join('\n');
}

type Row = readonly [key: string, values: string, byDefault: string, sentence: string];

function rowsOf(prefix: string, { properties = {}, required = [] }: JsonSchema): readonly Row[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    if (schema.properties !== undefined) return rowsOf(`${prefix}${key}.`, schema);
    const element = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
    if (element.properties !== undefined) return rowsOf(`${prefix}${key}.NAME.`, element);
    const entries = schema.items?.properties === undefined ? [] : rowsOf(`${prefix}${key}[].`, schema.items);
    return [row(key, schema, required, prefix), ...entries];
  });
}

function row(key: string, schema: JsonSchema, required: readonly string[], prefix = ''): Row {
  const byDefault = schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``;
  const shown = required.includes(key) ? 'required' : byDefault;
  return [`\`${prefix}${key}\``, schema['x-expected'] ?? '', shown, schema.description ?? ''];
}

function renderTable(rows: readonly Row[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(['Key', 'Values', 'Default', 'What it does']), '|---|---|---|---|', ...rows.map(line)];
}
