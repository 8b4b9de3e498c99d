import { Chalk, type ChalkInstance } from 'chalk';
import { formatCount, formatValue } from '../../model/format.ts';
import type { CellReport, Report, StreamArrivals } from '../../model/report.ts';
import {
  type Column,
  cellColumns,
  detailInWords,
  firstTokenRatio,
  modePairColumns,
  modePairs,
  sharedLabels,
} from '../columns.ts';
import { conclude } from '../conclusion/conclusion.ts';
import { SERVING_TITLE, servingColumns, servingRows } from '../serving-columns.ts';
import { clip, displayWidth, oneLine, wrap } from '../text-width.ts';
import { abLines, abSentences } from '../wording/ab.ts';
import { plannedCancels } from '../wording/behaviours.ts';
import { cacheWarnings } from '../wording/cache.ts';
import { groupFailures, ungroupedFailures } from '../wording/failures.ts';
import { footnotes } from '../wording/footnotes.ts';
import { baselineHeading, FORMATS_NOTE, HEADINGS, TIMES_NOTE } from '../wording/headings.ts';
import { MACHINE_COLUMNS, machineRows, shardNote } from '../wording/machines.ts';
import { absence, machineLine, requestsOf, runLine } from '../wording/notes.ts';
import { originLines } from '../wording/origin.ts';
import {
  pairedSentences,
  type StreamFinding,
  streamFindings,
  streamWord,
  thresholdLines,
} from '../wording/verdicts.ts';
import { BLOCKS, inAscii, sparkline } from './strip.ts';
import { terminalComparison } from './terminal-comparison.ts';
import { terminalConclusion } from './terminal-conclusion.ts';
import { terminalSweep } from './terminal-sweep.ts';
import { type FittedTable, fits, fitTable, type TerminalOptions } from './terminal-tables.ts';

/** How a report is drawn. */
type View = Pick<TerminalOptions, 'width' | 'percentiles'> & { chalk: ChalkInstance };

/** Lines after which the conclusion has left most screens. */
const REPEATED_AFTER = 30;

/** The report for a terminal: the conclusion, then what is wrong, then the tables. Ends with a line feed. */
export function terminalReport(
  report: Report,
  { width, color, percentiles, ascii }: TerminalOptions,
): string {
  const chalk = new Chalk({ level: color });
  const view = { width, percentiles, chalk };
  const conclusion = terminalConclusion(conclude(report), width, chalk).join('\n');
  const details = [
    ...(report.sweep === undefined ? [] : [terminalSweep(report.sweep, { width, color, ascii })]),
    ...thresholds(report, width, chalk),
    ...abGate(report, width, chalk),
    ...baseline(report, { width, color }, chalk),
    ...failures(report.cells, width, chalk),
    ...streams(report, width, chalk),
    ...resultTables(report.cells, view),
    ...modeTables(report.cells, view),
    ...servingTables(report.cells, view),
    ...comparisonSentences(report, width, chalk),
    ...caches(report, width, chalk),
    ...machines(report, width, chalk),
    footer(report, width, chalk),
  ].join('\n\n');
  const blocks = [header(report, width, chalk), conclusion, details];
  // The end of a long report is what a terminal shows.
  if (details.split('\n').length > REPEATED_AFTER) blocks.push(conclusion);
  const text = `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
  return ascii ? inAscii(text) : text;
}

function header(report: Report, width: number, chalk: ChalkInstance): string {
  const { name, description } = report.scenario;
  const lines = [chalk.bold.cyan(clip(oneLine(name), width))];
  if (description) lines.push(...wrap(oneLine(description), width));
  const shard = shardNote(report);
  if (shard) lines.push(...wrap(shard, width).map((line) => chalk.bold(line)));
  for (const note of originLines(report)) lines.push(...wrap(note, width).map((line) => chalk.dim(line)));
  return lines.join('\n');
}

function resultTables(cells: readonly CellReport[], view: View): string[] {
  const { chalk } = view;
  return [...new Set(cells.map(({ mode }) => mode))].flatMap((mode) => {
    const ofMode = cells.filter((cell) => cell.mode === mode);
    return byTarget(ofMode, cellColumns(ofMode), view).map(({ target, rows, labels, columns }) => {
      const table = fitTable(rows, columns, {
        ...view,
        alike: ofMode,
        heading: (text) => chalk.bold(text),
        paint: (text, column, row) => paintCell(text, column, row, chalk),
        instead: (row) => ((row.outcomes.ok ?? 0) === 0 ? absence(row) : undefined),
        ruled: (row, before) => row.target !== before.target && hasSeveralRows(rows),
      });
      return titled([target, mode, ...labels], detailInWords(table.detail), table, view);
    });
  });
}

// Lines between targets of one row each would only take space.
function hasSeveralRows(rows: readonly { target: string }[]): boolean {
  return new Set(rows.map(({ target }) => target)).size < rows.length;
}

interface TargetGroup<Row> {
  /** The target of all rows; undefined for several targets. */
  target?: string;
  rows: Row[];
  /** What all rows of all groups have in common, for the title. */
  labels: string[];
  columns: Column<Row>[];
}

// Targets share one table, for easy comparison, if it fits. Otherwise all of their tables have the same columns.
function byTarget<Row extends { target: string }>(
  rows: readonly Row[],
  all: readonly Column<Row>[],
  view: View,
): TargetGroup<Row>[] {
  const targets = [...new Set(rows.map(({ target }) => target))];
  const { labels, columns } = sharedLabels(all, rows);
  if (targets.length > 1 && fits(rows, columns, view)) return [{ rows: [...rows], labels, columns }];
  return targets.map((target) => ({
    target,
    rows: rows.filter((row) => row.target === target),
    labels,
    columns: columns.filter(({ title }) => title !== 'target'),
  }));
}

function paintCell(text: string, column: Column<CellReport>, row: CellReport, chalk: ChalkInstance): string {
  if (column.title === 'TTFT') return chalk.cyan(text);
  if (column.title === 'verdict') {
    const verdict = row.streaming?.verdict;
    return verdict === 'streaming'
      ? chalk.green(text)
      : streamWord(row) === 'inconclusive'
        ? chalk.dim(text)
        : chalk.red(text);
  }
  if (column.title !== 'ok') return text;
  const ok = row.outcomes.ok ?? 0;
  if (ok === 0) return chalk.red(text);
  return ok === requestsOf(row) - plannedCancels(row) ? chalk.green(text) : chalk.yellow(text);
}

function modeTables(cells: readonly CellReport[], view: View): string[] {
  const { chalk } = view;
  const pairs = modePairs(cells);
  return byTarget(pairs, modePairColumns(pairs), view).map(({ target, rows, labels, columns }) => {
    const table = fitTable(rows, columns, {
      ...view,
      alike: pairs,
      heading: (text) => chalk.bold(text),
      paint: (text, { title }, row) =>
        title === 'first token' && (firstTokenRatio(row) ?? 1) >= 1.05 ? chalk.green(text) : text,
      instead: () => undefined,
      ruled: (row, before) => row.target !== before.target && hasSeveralRows(rows),
    });
    return titled([target, 'streaming / non-streaming', ...labels], 'p50', table, view);
  });
}

function servingTables(cells: readonly CellReport[], view: View): string[] {
  const { chalk } = view;
  const all = servingRows(cells);
  return byTarget(all, servingColumns(all), view).map(({ target, rows, labels, columns }) => {
    const table = fitTable(rows, columns, {
      ...view,
      alike: all,
      heading: (text) => chalk.bold(text),
      paint: (text) => text,
      instead: () => undefined,
      ruled: (row, before) => row.target !== before.target && hasSeveralRows(rows),
    });
    return titled([target, SERVING_TITLE.name, ...labels], SERVING_TITLE.detail, table, view);
  });
}

function titled(
  names: readonly (string | undefined)[],
  detail: string,
  { text, hidden }: FittedTable,
  { width, chalk }: View,
): string {
  const title = names.flatMap((name) => (name === undefined ? [] : [oneLine(name)])).join(' · ');
  const lines = [`${chalk.bold(clip(title, width - detail.length - 2))}  ${chalk.dim(detail)}`, text];
  if (hidden.length > 0) {
    const note = `not shown at this width: ${hidden.join(', ')}`;
    lines.push(...wrap(note, width).map((line) => chalk.dim(line)));
  }
  return lines.join('\n');
}

function failures(cells: readonly CellReport[], width: number, chalk: ChalkInstance): string[] {
  const groups = groupFailures(cells);
  if (groups.length === 0) return [];
  const lines = [chalk.bold.red(HEADINGS.failures)];
  for (const { what, count, body, hint, where } of groups) {
    lines.push(...indented(`${formatCount(count)} × ${what}`, 2, width).map((line) => chalk.red(line)));
    for (const line of body) lines.push(chalk.dim(`    | ${clip(line, Math.max(20, width - 6))}`));
    if (hint) lines.push(...indented(`hint: ${hint}`, 4, width));
    lines.push(...indented(`in ${where.join('; ')}`, 4, width));
  }
  const others = ungroupedFailures(cells);
  if (others > 0) lines.push(`  ${formatCount(others)} other failures`);
  return [lines.join('\n')];
}

function comparisonSentences(report: Report, width: number, chalk: ChalkInstance): string[] {
  const lines = pairedSentences(report);
  return lines.length === 0
    ? []
    : [[chalk.bold(HEADINGS.comparisons), ...lines.flatMap((line) => indented(line, 2, width))].join('\n')];
}

function streams(report: Report, width: number, chalk: ChalkInstance): string[] {
  const findings = streamFindings(report);
  const open = findings.filter(({ verdict }) => verdict === 'inconclusive');
  const found = findings.filter(({ verdict }) => verdict !== 'inconclusive');
  return [
    ...findingBlock(chalk.bold.red(HEADINGS.streamProblems), found, width, chalk.red),
    ...findingBlock(chalk.bold(HEADINGS.streamsInconclusive), open, width, chalk.reset),
  ];
}

/** Maximum number of cells in a list of findings. */
const MAX_FINDINGS = 6;

function findingBlock(
  title: string,
  findings: readonly StreamFinding[],
  width: number,
  paint: ChalkInstance,
): string[] {
  if (findings.length === 0) return [];
  const lines = [title];
  for (const { verdict, evidence, where, arrivals, causes } of findings.slice(0, MAX_FINDINGS)) {
    lines.push(...indented(where, 2, width));
    lines.push(...indented(`${verdict}: ${evidence}`, 4, width).map((line) => paint(line)));
    if (arrivals !== undefined) lines.push(clip(arrivalStrip(arrivals), width));
    for (const cause of causes) lines.push(...indented(`remedy: ${cause}`, 4, width));
  }
  if (findings.length > MAX_FINDINGS) lines.push(`  and ${findings.length - MAX_FINDINGS} more cells`);
  return [lines.join('\n')];
}

/** The arrivals of content in a typical stream, on one line. */
function arrivalStrip({ spanMs, counts }: StreamArrivals): string {
  return `    0 |${sparkline(counts, BLOCKS)}| ${formatValue(spanMs, 'ms')}`;
}

function caches(report: Report, width: number, chalk: ChalkInstance): string[] {
  const warnings = cacheWarnings(report);
  if (warnings.length === 0) return [];
  const lines = warnings.flatMap((warning) => indented(warning, 2, width));
  return [[chalk.bold.yellow(HEADINGS.cache), ...lines].join('\n')];
}

function thresholds(report: Report, width: number, chalk: ChalkInstance): string[] {
  const found = thresholdLines(report);
  if (found.length === 0) return [];
  const paint = { pass: chalk.green, fail: chalk.red, 'no-data': chalk.red };
  const lines = found.flatMap(({ verdict, expression, detail }) => {
    const [first = '', ...more] = wrap(`${expression}: ${detail}`, Math.max(20, width - 11));
    return [
      `  ${paint[verdict](verdict.padEnd(8))} ${first}`,
      ...more.map((line) => `${' '.repeat(11)}${line}`),
    ];
  });
  return [[chalk.bold(HEADINGS.thresholds), ...lines].join('\n')];
}

function abGate(report: Report, width: number, chalk: ChalkInstance): string[] {
  const [sentence, ...others] = abSentences(report);
  if (sentence === undefined) return [];
  const paint = (outcome: string, text: string) =>
    outcome === 'fail' ? chalk.red(text) : outcome === 'pass' ? text : chalk.dim(text);
  return [
    [
      ...wrap(sentence, width).map((line) => chalk.bold(line)),
      ...others.flatMap((other) => wrap(other, width)),
      ...abLines(report).flatMap(({ outcome, sentence: line }) =>
        indented(line, 2, width).map((text) => paint(outcome, text)),
      ),
    ].join('\n'),
  ];
}

function baseline({ baseline }: Report, options: TerminalOptions, chalk: ChalkInstance): string[] {
  if (baseline === undefined) return [];
  const title = clip(baselineHeading(baseline), options.width);
  return [`${chalk.bold(title)}\n${terminalComparison(baseline, options).trimEnd()}`];
}

function machines(report: Report, width: number, chalk: ChalkInstance): string[] {
  const rows = machineRows(report);
  if (rows.length === 0) return [];
  const all = [[...MACHINE_COLUMNS], ...rows];
  const widths = MACHINE_COLUMNS.map((_, column) =>
    Math.max(...all.map((row) => displayWidth(row[column] ?? ''))),
  );
  const lines = all.map((row) =>
    row.map((text, column) => text + ' '.repeat((widths[column] ?? 0) - displayWidth(text))).join('  '),
  );
  return [
    [chalk.bold(HEADINGS.machines), ...lines.map((line) => `  ${clip(line.trimEnd(), width - 2)}`)].join(
      '\n',
    ),
  ];
}

function indented(text: string, indent: number, width: number): string[] {
  return wrap(text, Math.max(20, width - indent)).map((line) => `${' '.repeat(indent)}${line}`);
}

function footer(report: Report, width: number, chalk: ChalkInstance): string {
  return [...footnotes(report), TIMES_NOTE, FORMATS_NOTE, runLine(report), machineLine(report)]
    .flatMap((note) => wrap(note, width))
    .map((line) => chalk.dim(line))
    .join('\n');
}
