import type { CellReport, Report } from '../model/report.ts';
import { type Column, cellColumns, comparisonColumns } from './columns.ts';
import { groupFailures, ungroupedFailures } from './failures.ts';
import { formatCount } from './format.ts';
import { absence, incompleteness, machineLine, notes, runLine } from './notes.ts';
import { oneLine } from './text.ts';
import { clientLines, gateLines, streamFindings } from './verdicts.ts';

/** The report for a pull request or a wiki: GitHub's markdown, failures first. */
export function markdownReport(report: Report): string {
  const missing = incompleteness(report);
  const blocks = [
    `## ${escaped(oneLine(report.scenario.name))}`,
    ...(missing ? [`> **${escaped(missing)}**`] : []),
    ...gates(report),
    ...failures(report.cells),
    ...streams(report),
    ...results(report.cells),
    ...comparisons(report),
    [...clientLines(report), ...notes(report)].map((note) => `- ${escaped(note)}`).join('\n'),
    `<sub>${escaped(runLine(report))}<br>${escaped(machineLine(report))}</sub>`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function gates(report: Report): string[] {
  const rows = gateLines(report).map(({ verdict, expression, detail }) => [verdict, expression, detail]);
  return rows.length === 0
    ? []
    : ['### Gates', table(['verdict', 'gate', 'measured'], ['left', 'left', 'left'], rows)];
}

function streams(report: Report): string[] {
  const rows = streamFindings(report).map(({ verdict, evidence, where }) => [
    verdict,
    evidence,
    where.join('; '),
  ]);
  if (rows.length === 0) return [];
  return [
    '### Not streaming as it should',
    table(['verdict', 'evidence', 'where'], ['left', 'left', 'left'], rows),
  ];
}

function failures(cells: readonly CellReport[]): string[] {
  const rows = groupFailures(cells).map(({ what, count, hint, where }) => [
    formatCount(count),
    hint ? `${what} — ${hint}` : what,
    where.join('; '),
  ]);
  if (rows.length === 0) return [];
  const others = ungroupedFailures(cells);
  if (others > 0) rows.push([formatCount(others), 'in other ways', '']);
  return ['### Failures', table(['requests', 'what', 'where'], ['right', 'left', 'left'], rows)];
}

function results(cells: readonly CellReport[]): string[] {
  return [...new Set(cells.map(({ mode }) => mode))].flatMap((mode) => {
    const rows = cells.filter((cell) => cell.mode === mode);
    const columns = cellColumns(rows);
    return [
      `### ${mode === 'streaming' ? 'Streaming' : 'Non-streaming'} (p50 / p95)`,
      tableOf(columns, rows, (row) => ((row.outcomes.ok ?? 0) === 0 ? absence(row) : undefined)),
    ];
  });
}

function comparisons({ comparisons: rows }: Report): string[] {
  if (rows.length === 0) return [];
  return ['### Streaming / non-streaming (p50)', tableOf(comparisonColumns(rows), rows, () => undefined)];
}

function tableOf<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  instead: (row: Row) => string | undefined,
): string {
  const firstMeasured = columns.findIndex(({ measured }) => measured);
  return table(
    columns.map(({ title }) => title),
    columns.map(({ align }) => align),
    rows.map((row) => {
      const text = instead(row);
      return columns.map((column, index) => {
        if (text === undefined || !column.measured) return column.text(row, 'p50 / p95');
        return index === firstMeasured ? text : '';
      });
    }),
  );
}

function table(
  heads: readonly string[],
  aligns: readonly ('left' | 'right')[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => escaped(oneLine(cell))).join(' | ')} |`;
  return [
    line(heads),
    `| ${aligns.map((align) => (align === 'right' ? '---:' : ':---')).join(' | ')} |`,
    ...rows.map(line),
  ].join('\n');
}

// What a service said must not turn into markup, links or mentions.
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>|~#@]/g, (char) => (char === '@' ? '&#64;' : `\\${char}`));
}
