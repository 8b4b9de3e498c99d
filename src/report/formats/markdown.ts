import type { Conclusion } from '../../model/conclusion.ts';
import { formatCount, formatValue } from '../../model/format.ts';
import type { CellReport, Report } from '../../model/report.ts';
import { type Column, cellColumns, DEFAULT_DETAIL, modePairColumns, modePairs } from '../columns.ts';
import { conclude } from '../conclusion/conclusion.ts';
import { SERVING_TITLE, servingColumns, servingRows } from '../serving-columns.ts';
import { clip, oneLine } from '../text-width.ts';
import { abLines, abSentences } from '../wording/ab.ts';
import { baselineLines } from '../wording/baseline.ts';
import { cacheWarnings } from '../wording/cache.ts';
import { groupFailures, ungroupedFailures } from '../wording/failures.ts';
import { footnotes } from '../wording/footnotes.ts';
import { baselineHeading, HEADINGS } from '../wording/headings.ts';
import { MACHINE_COLUMNS, machineRows, shardNote } from '../wording/machines.ts';
import { absence, machineLine, runLine } from '../wording/notes.ts';
import { originLines } from '../wording/origin.ts';
import {
  levelOfPoint,
  objectivesLine,
  pointMarks,
  pointsOf,
  searchSentences,
  subjectName,
  verdictWord,
} from '../wording/sweep.ts';
import { pairedSentences, streamFindings, thresholdLines } from '../wording/verdicts.ts';

/** A section of a text. Rows can be omitted from its end. */
export interface Section {
  /** Text above the rows, such as a table header; empty if there is none. */
  head: string;
  rows: readonly string[];
}

/**
 * Joins the sections with blank lines. If they exceed `maxBytes` of UTF-8, the longest ones lose their last rows, with a
 * note: each section may use half of the remaining bytes, or all that later sections do not need.
 */
export function fitSections(parts: readonly Section[], maxBytes: number): string {
  const full = parts.map(textOf);
  let later = full.reduce((sum, text) => sum + bytesOf(text), 0);
  if (later <= maxBytes) return full.join('');
  // Reserve space for the notes about omitted rows.
  let left = maxBytes - parts.length * NOTE_BYTES;
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

const NOTE_BYTES = 200;

function shortened({ head, rows }: Section, allowed: number, maxBytes: number): string {
  let used = bytesOf(textOf({ head, rows: [] }));
  let kept = 0;
  while (kept < rows.length && used + bytesOf(rows[kept]!) + 1 <= allowed) {
    used += bytesOf(rows[kept]!) + 1;
    kept += 1;
  }
  const note = `*${formatCount(rows.length - kept)} of ${formatCount(rows.length)} lines omitted to stay below ${formatValue(maxBytes, 'bytes')}; report.json in the run folder has all of them.*`;
  return textOf({ head: kept > 0 ? head : '', rows: [...rows.slice(0, kept), '', note] });
}

function textOf({ head, rows }: Section): string {
  return `${[...(head === '' ? [] : [head]), ...rows].join('\n')}\n\n`;
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

// GitHub rejects a step summary of more than 1 MiB.
const MAX_BYTES = 1_000_000;

// Names and figures are short; a longer text came from a server.
const MAX_WIDTH = 1_000;

/**
 * The report as GitHub markdown, for a pull request, a job summary or a wiki; failures come first. Always below 1 MiB: long
 * tables lose their last rows, with a note.
 */
export function markdownReport(report: Report): string {
  const shard = shardNote(report);
  const parts: Section[] = [
    text(`## ${safe(report.scenario.name)}`),
    ...(shard ? [text(`> ${safe(shard)}`)] : []),
    { head: '', rows: originLines(report).map((line) => `- ${safe(line)}`) },
    conclusion(conclude(report)),
    ...sweep(report),
    ...thresholds(report),
    ...abGate(report),
    ...baseline(report),
    ...failures(report.cells),
    ...streams(report),
    ...caches(report),
    ...results(report.cells),
    ...modes(report.cells),
    { head: `### ${HEADINGS.comparisons}\n`, rows: pairedSentences(report).map((line) => `- ${safe(line)}`) },
    ...machines(report),
    ...serving(report.cells),
    {
      head: '',
      rows: footnotes(report).map((note) => `- ${safe(note)}`),
    },
    text(`<sub>${safe(runLine(report))}<br>${safe(machineLine(report))}</sub>`),
  ];
  return `${fitSections(
    parts.filter(({ head, rows }) => rows.length > 0 || head.startsWith('## ')),
    MAX_BYTES,
  ).trimEnd()}\n`;
}

function conclusion({ sides, lines }: Conclusion): Section {
  const rows = lines.map(({ label, values, text, outcome }) => {
    const cells = values.length === 0 ? sides.map(() => '') : values;
    const words = text === '' ? '' : safe(text);
    return [
      `| **${safe(label)}**`,
      ...cells.map(safe),
      `${outcome === 'bad' && words !== '' ? `**${words}**` : words} |`,
    ].join(' | ');
  });
  const head = ['| ', ...sides.map(safe), ' |'].join(' | ');
  return {
    head: `${head}\n|${[':---', ...sides.map(() => '---:'), ':---'].map((rule) => ` ${rule} |`).join('')}`,
    rows,
  };
}

function text(line: string): Section {
  return { head: '', rows: [line] };
}

function machines(report: Report): Section[] {
  const rows = machineRows(report);
  if (rows.length === 0) return [];
  const sides = ['right', 'left', 'right', 'right', 'left', 'left'] as const;
  return [table(`### ${HEADINGS.machines}`, [...MACHINE_COLUMNS], sides, rows)];
}

function sweep({ sweep }: Report): Section[] {
  if (sweep === undefined) return [];
  const load = sweep.by === 'rate' ? 'rate' : 'streams';
  const heads = [load, 'TTFT p95', 'requests', 'tokens', 'goodput', 'objectives'];
  return [
    { head: `### ${HEADINGS.sweep}`, rows: [`\n${safe(objectivesLine(sweep))}`] },
    ...sweep.searches.flatMap((search) => [
      {
        head: `\n**${safe(subjectName(search))}**`,
        rows: searchSentences(sweep, search).map((line) => `\n${safe(line)}`),
      },
      table(
        '',
        heads,
        ['right', 'right', 'right', 'right', 'right', 'left'],
        pointsOf(sweep, search).map((point) => [
          String(levelOfPoint(point)),
          formatValue(point.ttftP95Ms, 'ms'),
          formatValue(point.requestsPerSecond, '1/s'),
          formatValue(point.tokensPerSecond, '1/s'),
          formatValue(point.goodput, '1/s'),
          [verdictWord(point), ...pointMarks(point, search)].join(', '),
        ]),
      ),
    ]),
  ];
}

function thresholds(report: Report): Section[] {
  const rows = thresholdLines(report).map(({ verdict, expression, detail }) => [verdict, expression, detail]);
  return rows.length === 0
    ? []
    : [
        table(
          `### ${HEADINGS.thresholds}`,
          ['verdict', 'threshold', 'measured'],
          ['left', 'left', 'left'],
          rows,
        ),
      ];
}

function abGate(report: Report): Section[] {
  if (report.ab === undefined) return [];
  const rows = abLines(report).map(({ verdict, figure, sentence }) => [verdict, figure, sentence]);
  return [
    { head: '### B against A', rows: abSentences(report).map((line) => `\n${safe(line)}`) },
    ...(rows.length === 0 ? [] : [table('', ['verdict', 'figure', 'B / A'], ['left', 'left', 'left'], rows)]),
  ];
}

function baseline(report: Report): Section[] {
  const { baseline } = report;
  if (baseline === undefined) return [];
  const head = `### ${safe(baselineHeading(baseline))}`;
  const sentences = [baseline.sentence, ...baseline.details];
  const rows = baselineLines(report).map(({ word, where, figure, values, change }) => [
    word,
    where,
    figure,
    values,
    change,
  ]);
  const heads = ['verdict', 'where', 'figure', 'base / new', 'change'];
  return [
    { head, rows: sentences.map((line) => `\n${safe(line)}`) },
    ...(rows.length === 0 ? [] : [table('', heads, ['left', 'left', 'left', 'right', 'right'], rows)]),
    { head: '', rows: baseline.warnings.map((warning) => `- ${safe(warning)}`) },
  ];
}

function streams(report: Report): Section[] {
  const findings = streamFindings(report);
  const heads = ['verdict', 'evidence', 'where'];
  const titled = (title: string, open: boolean) => {
    const rows = findings
      .filter(({ verdict }) => (verdict === 'inconclusive') === open)
      .map(({ verdict, evidence, where, causes }) => [verdict, [evidence, ...causes].join('. '), where]);
    return rows.length === 0 ? [] : [table(title, heads, ['left', 'left', 'left'], rows)];
  };
  return [
    ...titled(`### ${HEADINGS.streamProblems}`, false),
    ...titled(`### ${HEADINGS.streamsInconclusive}`, true),
  ];
}

function caches(report: Report): Section[] {
  const rows = cacheWarnings(report).map((warning) => `- ${safe(warning)}`);
  return rows.length === 0 ? [] : [{ head: `### ${HEADINGS.cache}\n`, rows }];
}

function failures(cells: readonly CellReport[]): Section[] {
  const rows = groupFailures(cells).map(({ what, count, hint, where }) => [
    formatCount(count),
    hint ? `${what} — ${hint}` : what,
    where.join('; '),
  ]);
  if (rows.length === 0) return [];
  const others = ungroupedFailures(cells);
  if (others > 0) rows.push([formatCount(others), 'other failures', '']);
  return [table(`### ${HEADINGS.failures}`, ['requests', 'what', 'where'], ['right', 'left', 'left'], rows)];
}

function results(cells: readonly CellReport[]): Section[] {
  return [...new Set(cells.map(({ mode }) => mode))].map((mode) => {
    const rows = cells.filter((cell) => cell.mode === mode);
    const title = `### ${mode === 'streaming' ? 'Streaming' : 'Non-streaming'} (p50 / p95)`;
    return tableOf(title, cellColumns(rows), rows, (row) =>
      (row.outcomes.ok ?? 0) === 0 ? absence(row) : undefined,
    );
  });
}

function modes(cells: readonly CellReport[]): Section[] {
  const rows = modePairs(cells);
  if (rows.length === 0) return [];
  const title = '### Streaming / non-streaming (p50)';
  return [tableOf(title, modePairColumns(rows), rows, () => undefined)];
}

function serving(cells: readonly CellReport[]): Section[] {
  const rows = servingRows(cells);
  if (rows.length === 0) return [];
  const title = `### ${SERVING_TITLE.name} (${SERVING_TITLE.detail})`;
  return [tableOf(title, servingColumns(rows), rows, () => undefined)];
}

function tableOf<Row>(
  title: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  instead: (row: Row) => string | undefined,
): Section {
  const firstMeasured = columns.findIndex(({ measured }) => measured);
  return table(
    title,
    columns.map((column) => column.title),
    columns.map(({ align }) => align),
    rows.map((row) => {
      const reason = instead(row);
      return columns.map((column, index) => {
        if (reason === undefined || !column.measured) return column.text(row, DEFAULT_DETAIL);
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
): Section {
  const line = (cells: readonly string[]) => `| ${cells.map(safe).join(' | ')} |`;
  const ruler = `| ${aligns.map((align) => (align === 'right' ? '---:' : ':---')).join(' | ')} |`;
  const above = title === '' ? '' : `${title}\n\n`;
  return { head: `${above}${line(heads)}\n${ruler}`, rows: rows.map(line) };
}

/** Escapes text from servers and files, so that it becomes no markup, link or mention, and limits its length. */
function safe(words: string): string {
  return clip(oneLine(words), MAX_WIDTH)
    .replaceAll(/[\\`*_[\]<>|~#$&]/g, (char) => (char === '&' ? '&amp;' : `\\${char}`))
    .replaceAll(/(?<=:)\/\/|(?<=\bwww)\.|@|(?<=#)(?=\d)/gi, (found) => UNLINKED[found]!);
}

// GitHub decodes entities before it looks for URLs, mentions and issue numbers, so a zero-width space is added.
const UNLINKED: Readonly<Record<string, string>> = {
  '//': '&#8203;//',
  '.': '&#8203;.',
  '@': '&#64;&#8203;',
  '': '&#8203;',
};
