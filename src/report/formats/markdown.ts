import { formatCount } from '../../model/format.ts';
import type { CellReport, Report } from '../../model/report.ts';
import { type Column, cellColumns, modePairColumns, modePairs } from '../columns.ts';
import { clip, oneLine } from '../text-width.ts';
import { baselineLines } from '../wording/baseline.ts';
import { cacheNotes, cacheWarnings } from '../wording/cache.ts';
import { groupFailures, ungroupedFailures } from '../wording/failures.ts';
import { markNotes, reachedLines, throughputNotes } from '../wording/load.ts';
import { absence, incompleteness, machineLine, notes, runLine } from '../wording/notes.ts';
import { failureLine, looksAtFailures, summaryLine } from '../wording/summary.ts';
import {
  clientLines,
  floorLines,
  gateLines,
  loadLines,
  pairedSentences,
  serverLines,
  streamFindings,
} from '../wording/verdicts.ts';

/** Fitting a long text into a place that takes only so many bytes. */

/** A part of a text whose rows can be left out from the end. */
export interface Part {
  /** What stands above the rows, a table's head for one; empty where there is nothing. */
  head: string;
  rows: readonly string[];
}

/**
 * The parts with a blank line between them. Where they take more than `maxBytes` of UTF-8, the longest lose their last
 * rows and say so: a part may take half of what is left when its turn comes, or all that later ones do not need.
 */
export function fitParts(parts: readonly Part[], maxBytes: number): string {
  const full = parts.map(textOf);
  let later = full.reduce((sum, text) => sum + bytesOf(text), 0);
  if (later <= maxBytes) return full.join('');
  // Room for the sentences that say what was left out.
  let left = maxBytes - parts.length * SENTENCE_BYTES;
  return parts
    .map((part, index) => {
      const size = bytesOf(full[index]!);
      later -= size;
      const allowed = Math.max(left / 2, left - later);
      const text = size <= allowed ? full[index]! : shortened(part, allowed, maxBytes);
      left -= Math.min(allowed, bytesOf(text));
      return text;
    })
    .join('');
}

const SENTENCE_BYTES = 200;

function shortened({ head, rows }: Part, allowed: number, maxBytes: number): string {
  let used = bytesOf(textOf({ head, rows: [] }));
  let kept = 0;
  while (kept < rows.length && used + bytesOf(rows[kept]!) + 1 <= allowed) {
    used += bytesOf(rows[kept]!) + 1;
    kept += 1;
  }
  const sentence = `*${formatCount(rows.length - kept)} of ${formatCount(rows.length)} lines are left out here, to keep this within ${formatCount(maxBytes)} bytes; the run's report.json has them all.*`;
  return textOf({ head: kept > 0 ? head : '', rows: [...rows.slice(0, kept), '', sentence] });
}

function textOf({ head, rows }: Part): string {
  return `${[...(head === '' ? [] : [head]), ...rows].join('\n')}\n\n`;
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

// GitHub takes 1 MiB of summary from a step, and nothing at all of a longer one.
const MAX_BYTES = 1_000_000;

// A word of a table is a figure or a name; what is longer came from a service.
const MAX_WIDTH = 1_000;

/**
 * The report for a pull request, a job's summary or a wiki: GitHub's markdown, failures first. Always under 1 MiB: of
 * long tables the last rows are left out, and a sentence says so.
 */
export function markdownReport(report: Report): string {
  const missing = incompleteness(report);
  // Where a gate looks at failures, its line says so.
  const failed = looksAtFailures(report) ? undefined : failureLine(report);
  const parts: Part[] = [
    text(`## ${safe(report.scenario.name)}`),
    ...(missing ? [text(`> **${safe(missing)}**`)] : []),
    ...(failed ? [text(`> **${safe(failed)}**`)] : []),
    ...(report.gates.length > 0 || report.baseline
      ? [text(`**${safe(capitalized(summaryLine(report)))}.**`)]
      : []),
    ...pairedSentences(report).map((line) => text(`**${safe(line)}**`)),
    ...gates(report),
    ...baseline(report),
    ...failures(report.cells),
    ...streams(report),
    ...caches(report),
    ...results(report.cells),
    ...modes(report.cells),
    {
      head: '',
      rows: [
        ...markNotes(report),
        ...reachedLines(report),
        ...throughputNotes(report),
        ...clientLines(report),
        ...loadLines(report),
        ...serverLines(report),
        ...floorLines(report),
        ...cacheNotes(report),
        ...notes(report),
      ].map((note) => `- ${safe(note)}`),
    },
    text(`<sub>${safe(runLine(report))}<br>${safe(machineLine(report))}</sub>`),
  ];
  return `${fitParts(
    parts.filter(({ head, rows }) => head !== '' || rows.length > 0),
    MAX_BYTES,
  ).trimEnd()}\n`;
}

function text(line: string): Part {
  return { head: '', rows: [line] };
}

function gates(report: Report): Part[] {
  const rows = gateLines(report).map(({ verdict, expression, detail }) => [verdict, expression, detail]);
  return rows.length === 0
    ? []
    : [table('### Gates', ['verdict', 'gate', 'measured'], ['left', 'left', 'left'], rows)];
}

function baseline(report: Report): Part[] {
  const { baseline } = report;
  if (baseline === undefined) return [];
  const head = `### Against baseline ${safe(baseline.name)}`;
  const said = [baseline.sentence, ...baseline.obstacles.map((obstacle) => `not comparable: ${obstacle}`)];
  const rows = baselineLines(report).map(({ word, where, figure, values, change }) => [
    word,
    where,
    figure,
    values,
    change,
  ]);
  const heads = ['verdict', 'where', 'figure', 'base / new', 'new / base'];
  return [
    { head, rows: said.map((line) => `\n${safe(line)}`) },
    ...(rows.length === 0 ? [] : [table('', heads, ['left', 'left', 'left', 'right', 'right'], rows)]),
    { head: '', rows: baseline.warnings.map((warning) => `- ${safe(warning)}`) },
  ];
}

function streams(report: Report): Part[] {
  const findings = streamFindings(report);
  const heads = ['verdict', 'evidence', 'where'];
  const titled = (title: string, open: boolean) => {
    const rows = findings
      .filter(({ verdict }) => (verdict === 'inconclusive') === open)
      .map(({ verdict, evidence, where, causes }) => [verdict, [evidence, ...causes].join('. '), where]);
    return rows.length === 0 ? [] : [table(title, heads, ['left', 'left', 'left'], rows)];
  };
  return [
    ...titled('### Not streaming as it should', false),
    ...titled('### Not known whether it streams', true),
  ];
}

function caches(report: Report): Part[] {
  const rows = cacheWarnings(report).map((warning) => `- ${safe(warning)}`);
  return rows.length === 0 ? [] : [{ head: '### Answered from a cache\n', rows }];
}

function failures(cells: readonly CellReport[]): Part[] {
  const rows = groupFailures(cells).map(({ what, count, hint, where }) => [
    formatCount(count),
    hint ? `${what} — ${hint}` : what,
    where.join('; '),
  ]);
  if (rows.length === 0) return [];
  const others = ungroupedFailures(cells);
  if (others > 0) rows.push([formatCount(others), 'in other ways', '']);
  return [table('### Failures', ['requests', 'what', 'where'], ['right', 'left', 'left'], rows)];
}

function results(cells: readonly CellReport[]): Part[] {
  return [...new Set(cells.map(({ mode }) => mode))].map((mode) => {
    const rows = cells.filter((cell) => cell.mode === mode);
    const title = `### ${mode === 'streaming' ? 'Streaming' : 'Non-streaming'} (p50 / p95)`;
    return tableOf(title, cellColumns(rows), rows, (row) =>
      (row.outcomes.ok ?? 0) === 0 ? absence(row) : undefined,
    );
  });
}

function modes(cells: readonly CellReport[]): Part[] {
  const rows = modePairs(cells);
  if (rows.length === 0) return [];
  const title = '### Streaming / non-streaming (p50)';
  return [tableOf(title, modePairColumns(rows), rows, () => undefined)];
}

function tableOf<Row>(
  title: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  instead: (row: Row) => string | undefined,
): Part {
  const firstMeasured = columns.findIndex(({ measured }) => measured);
  return table(
    title,
    columns.map((column) => column.title),
    columns.map(({ align }) => align),
    rows.map((row) => {
      const reason = instead(row);
      return columns.map((column, index) => {
        if (reason === undefined || !column.measured) return column.text(row, 'p50 / p95');
        return index === firstMeasured ? reason : '';
      });
    }),
  );
}

function table(
  title: string,
  heads: readonly string[],
  aligns: readonly ('left' | 'right')[],
  rows: readonly (readonly string[])[],
): Part {
  const line = (cells: readonly string[]) => `| ${cells.map(safe).join(' | ')} |`;
  const ruler = `| ${aligns.map((align) => (align === 'right' ? '---:' : ':---')).join(' | ')} |`;
  const above = title === '' ? '' : `${title}\n\n`;
  return { head: `${above}${line(heads)}\n${ruler}`, rows: rows.map(line) };
}

function capitalized(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** What a service said must not turn into markup, links or mentions, nor fill the page. */
function safe(words: string): string {
  return clip(oneLine(words), MAX_WIDTH)
    .replaceAll(/[\\`*_[\]<>|~#$&]/g, (char) => (char === '&' ? '&amp;' : `\\${char}`))
    .replaceAll(/(?<=:)\/\/|(?<=\bwww)\.|@|(?<=#)(?=\d)/gi, (found) => UNLINKED[found]!);
}

// GitHub looks for addresses, mentions and numbers of issues in the text that the entities stand for: a space of no
// width comes between.
const UNLINKED: Readonly<Record<string, string>> = {
  '//': '&#8203;//',
  '.': '&#8203;.',
  '@': '&#64;&#8203;',
  '': '&#8203;',
};
