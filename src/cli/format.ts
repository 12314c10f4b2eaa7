/** What `--format` asks for: a table, JSON, or a Go template for each row. */
import { SiruError } from '../base/errors.ts';
import { alignColumns } from './tables.ts';
import { renderTemplate } from './template/evaluate.ts';
import { headingFunctions } from './template/functions.ts';
import { parseTemplate } from './template/parse.ts';
import { asStruct } from './template/value.ts';

/** A list that a command prints. */
export interface Listing<Row> {
  rows: readonly Row[];
  /** Fields of a row, and their headings. */
  fields: { name: string; heading: string; of: (row: Row) => unknown }[];
  /** Names of the fields that the usual table shows. */
  columns: string[];
  /** The field that `-q` shows. */
  key?: string;
}

/**
 * Text for a list. `format` is undefined or `table` for the usual table, `json` for one object per line, `table TEMPLATE`
 * for a table of one's own, else a template for each row. Throws USAGE with the position of a fault in the template.
 */
export function formatListing<Row>(listing: Listing<Row>, format: string | undefined, quiet = false): string {
  const { fields, rows } = listing;
  const plan = planOf(listing, format, quiet);
  if (plan.kind === 'json') {
    // docker gives the members in the order of their names
    const sorted = [...fields].sort((a, b) => (a.name < b.name ? -1 : 1));
    return rows.map((row) => `${JSON.stringify(Object.fromEntries(sorted.map(({ name, of }) => [name, of(row)])))}\n`).join('');
  }
  const template = parseTemplate(plan.template);
  // Fields are computed when a template asks for them: some are dear.
  const lines = rows.map((row) => renderTemplate(template, lazyFields(fields.map(({ name, of }) => [name, () => of(row)]))));
  if (plan.kind === 'lines') return lines.map((line) => `${line}\n`).join('');
  const headings = lazyFields(fields.map(({ name, heading }) => [name, () => heading]));
  lines.unshift(renderTemplate(template, headings, headingFunctions));
  return `${alignColumns(lines.join('\n'))}\n`;
}

function planOf<Row>({ columns, key }: Listing<Row>, format: string | undefined, quiet: boolean): { kind: 'json' } | { kind: 'table' | 'lines'; template: string } {
  const chosen = (format ?? '').trim();
  if (quiet && (chosen === '' || chosen === 'table')) {
    if (key === undefined) throw new SiruError('USAGE', '-q: this list has no IDs');
    return { kind: 'lines', template: `{{.${key}}}` };
  }
  if (chosen === '' || chosen === 'table') return { kind: 'table', template: columns.map((name) => `{{.${name}}}`).join('\t') };
  if (chosen === 'json') return { kind: 'json' };
  const table = /^table\s+/.exec(chosen);
  return { kind: table ? 'table' : 'lines', template: unescape(table ? chosen.slice(table[0].length) : chosen) };
}

/** Text for things shown one by one (`inspect --format`). Each is on a line of its own. */
export function formatObjects(values: readonly unknown[], format: string): string {
  if (format === 'json') return `${JSON.stringify(values)}\n`;
  const template = parseTemplate(unescape(format));
  return values.map((value) => `${renderTemplate(template, value)}\n`).join('');
}

/** Shells make it hard to pass a tab, so the two characters `\t` mean one outside of actions. */
function unescape(format: string): string {
  return format.replace(/\{\{[^]*?\}\}|\\[tn]/g, (found) => (found === '\\t' ? '\t' : found === '\\n' ? '\n' : found));
}

function lazyFields(members: [string, () => unknown][]): object {
  const row = {};
  for (const [name, get] of members) Object.defineProperty(row, name, { get, enumerable: true });
  return asStruct(row);
}
