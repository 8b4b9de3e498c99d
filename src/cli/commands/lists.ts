import { wrap } from '../../report/text-width.ts';
import type { Provider } from '../../wire/providers.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';

/** The commands that print built-in lists: metrics, providers, schema. */
export const listCommands: AddCommand = (root, open) => {
  root
    .command('metrics')
    .description('list all metrics with unit and formula')
    .option('--json', 'print as JSON')
    .action((flags: { json?: boolean }) => metrics(flags.json === true, open()));
  root
    .command('providers')
    .description('list the built-in providers and dialects')
    .option('--json', 'print as JSON')
    .action((flags: { json?: boolean }) => providers(flags.json === true, open()));
  root
    .command('dialects')
    .description('list the built-in dialects')
    .option('--json', 'print as JSON')
    .action((flags: { json?: boolean }) => dialects(flags.json === true, open()));
  root
    .command('schema')
    .description('print the JSON Schema of scenario files')
    .action(() => schema(open()));
};

async function metrics(json: boolean, session: CliSession): Promise<void> {
  const { METRICS } = await import('../../metrics/definitions.ts');
  const rows = METRICS.map(({ name, title, unit, better, formula, note }) => ({
    name,
    title,
    unit,
    better,
    formula,
    note,
  }));
  if (json) return session.printJson(rows);
  const { plainTable } = await import('../plain-table.ts');
  session.print(
    plainTable(
      ['metric', 'unit', 'better', 'formula', 'note'],
      rows.map((row) => [row.name, row.unit, row.better, row.formula, row.note ?? row.title]),
      session.width,
    ),
  );
}

async function providers(json: boolean, session: CliSession): Promise<void> {
  const { PROVIDERS } = await import('../../wire/providers.ts');
  const rows = await dialectRows();
  if (json) return session.printJson({ providers: PROVIDERS, dialects: rows });
  session.print(providerList(PROVIDERS, session.width));
  session.print('\n');
  session.print(dialectList(rows, session.width));
}

async function dialects(json: boolean, session: CliSession): Promise<void> {
  const rows = await dialectRows();
  if (json) return session.printJson(rows);
  session.print(dialectList(rows, session.width));
}

interface DialectRow {
  name: string;
  title: string;
}

async function dialectRows(): Promise<DialectRow[]> {
  const { DIALECT_NAMES, getDialect } = await import('../../wire/dialects/index.ts');
  return DIALECT_NAMES.map((name) => ({ name, title: getDialect(name).title }));
}

function dialectList(rows: readonly DialectRow[], width: number): string {
  const indent = Math.max(...rows.map(({ name }) => name.length)) + 2;
  // Beside the names, the longest words of the titles would be cut.
  if (width < 80) {
    const below = (title: string) => wrap(title, width - INDENT).map((part) => ' '.repeat(INDENT) + part);
    return rows.map(({ name, title }) => `${[name, ...below(title)].join('\n')}\n`).join('');
  }
  const lines = rows.flatMap(({ name, title }) =>
    wrap(title, width - indent).map((part, index) => `${(index === 0 ? name : '').padEnd(indent)}${part}`),
  );
  return `${[`${'dialect'.padEnd(indent)}description`, ...lines].join('\n')}\n`;
}

const INDENT = 4;

/** Each provider has a line of short columns, then indented lines for its base URL and its note. */
function providerList(rows: readonly Provider[], width: number): string {
  const head = ['provider', 'dialect', 'key variable'];
  const columns = rows.map(({ name, dialect, keyVariable = '' }) => [name, dialect, keyVariable]);
  const widths = head.map((title, i) => Math.max(title.length, ...columns.map((row) => row[i]!.length)) + 2);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('')
      .trimEnd();
  const below = (text: string) => wrap(text, width - INDENT).map((part) => ' '.repeat(INDENT) + part);
  const lines = rows.flatMap(({ baseUrl, note }, i) => [
    line(columns[i]!),
    ...(baseUrl === undefined ? [] : below(baseUrl)),
    ...(note === undefined ? [] : below(note)),
  ]);
  return `${[line(head), ...lines].join('\n')}\n`;
}

async function schema(session: CliSession): Promise<void> {
  const { scenarioJsonSchema } = await import('../../scenario/schema/json-schema.ts');
  session.printJson(scenarioJsonSchema());
}
