import type { Conclusion } from '../../model/conclusion.ts';
import { formatCount } from '../../model/format.ts';
import type { BlockUtilization } from '../../model/load-report.ts';
import type { CellReport, Report } from '../../model/report.ts';
import {
  type Column,
  cellColumns,
  detailInWords,
  modePairColumns,
  modePairs,
  sharedLabels,
} from '../columns.ts';
import { conclude } from '../conclusion/conclusion.ts';
import { cellNames } from '../history/history-words.ts';
import { PERCENTILES, type Percentile } from '../percentiles.ts';
import { SERVING_TITLE, servingColumns, servingRows } from '../serving-columns.ts';
import { oneLine } from '../text-width.ts';
import { abLines, abSentences } from '../wording/ab.ts';
import { cacheWarnings } from '../wording/cache.ts';
import { groupFailures, ungroupedFailures } from '../wording/failures.ts';
import { footnotes } from '../wording/footnotes.ts';
import { baselineHeading, HEADINGS, TIMES_NOTE } from '../wording/headings.ts';
import { MACHINE_COLUMNS, machineRows, shardNote } from '../wording/machines.ts';
import { absence, machineLine, runLine } from '../wording/notes.ts';
import { originLines } from '../wording/origin.ts';
import { objectivesLine, searchSentences, subjectName } from '../wording/sweep.ts';
import { pairedSentences, type StreamFinding, streamFindings, thresholdLines } from '../wording/verdicts.ts';
import type { ChartCell } from './chart.ts';
import { distributionFigures } from './charts/distributions.ts';
import { abFigure, changeFigure, changeTable, modesFigure, pairedFigures } from './charts/intervals.ts';
import { clientFigure, sweepFigures } from './charts/load.ts';
import { rasterFigure } from './charts/raster.ts';
import { timelineFigure } from './charts/timeline.ts';
import { html, type Markup } from './markup.ts';
import { type PagePart, renderPage } from './page.ts';
import { list, table } from './tables.ts';
import type { TrafficCollector } from './traffic.ts';

/** What the page of a run shows beside its report. */
export interface RunDetails {
  /** The charts of single requests are made from it. */
  traffic: TrafficCollector;
  stallMs: number;
  /** The client's utilization. */
  loads: readonly BlockUtilization[];
}

/** Cells whose charts are shown at first. */
const CELLS_ON = 8;

/** A run's report as one page: the conclusion, then what is wrong, then tables and charts. */
export function htmlReport(report: Report, { traffic, stallMs, loads }: RunDetails): string {
  const { cells, sweep } = report;
  const names = cellNames(cells);
  const own = cells.map((cell) => traffic.cells.get(cell));
  const parts: PagePart[] = [
    { id: 'conclusion', title: 'Conclusion', content: conclusionParts(report) },
    { id: 'checks', title: 'Checks and problems', content: checks(report) },
    { id: 'sweep', title: HEADINGS.sweep, content: sweep === undefined ? [] : sweepParts(report) },
    { id: 'results', title: 'Results', content: results(cells) },
    {
      id: 'requests',
      title: 'Requests',
      content: [
        ...rasterFigure(cells, names, { traffic: own, seed: traffic.seed }),
        ...timelineFigure(names, own, stallMs),
      ],
      ofCells: true,
    },
    {
      id: 'distributions',
      title: 'Distributions',
      content: distributionFigures(cells, names),
      ofCells: true,
    },
    { id: 'comparisons', title: 'Comparisons', content: comparisons(report) },
    { id: 'client', title: 'Client', content: clientFigure(loads) },
    { id: 'notes', title: 'Notes', content: list([...footnotes(report), TIMES_NOTE]) },
  ];
  const { name, description } = report.scenario;
  return renderPage({
    title: oneLine(name),
    lead: [...(description === undefined ? [] : [oneLine(description)]), ...originLines(report)],
    parts,
    cells: chartCells(cells, names),
    footer: [runLine(report), machineLine(report)],
  });
}

/** The cells, of which at first some of each target are shown: streams first, and of these the highest load. */
function chartCells(cells: readonly CellReport[], names: readonly string[]): ChartCell[] {
  const inOrder = [...cells.keys()].sort((a, b) => importance(cells[b]) - importance(cells[a]) || a - b);
  const places = new Map<number, number>();
  const byTarget = new Map<string, number>();
  for (const index of inOrder) {
    const target = cells[index]?.target ?? '';
    const place = byTarget.get(target) ?? 0;
    byTarget.set(target, place + 1);
    places.set(index, place);
  }
  const chosen = inOrder.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0)).slice(0, CELLS_ON);
  // The cells that are shown at first differ in color.
  const styles = [
    ...chosen.sort((a, b) => a - b),
    ...[...cells.keys()].filter((index) => !chosen.includes(index)),
  ];
  return names.map((name, index) => ({ name, on: chosen.includes(index), style: styles.indexOf(index) }));
}

function importance(cell: CellReport | undefined): number {
  if (cell === undefined) return 0;
  return (cell.mode === 'streaming' ? 1e9 : 0) + (cell.rate ?? cell.concurrency);
}

function conclusionParts(report: Report): Markup[] {
  const shard = shardNote(report);
  return [
    ...(shard === undefined ? [] : [html`<p class="unknown">${shard}</p>`]),
    conclusionTable(conclude(report)),
  ];
}

const SIGNS = { good: '✓', bad: '✗', unknown: '?', neutral: '' } as const;
const SIGN_WORDS = { good: 'good', bad: 'problem', unknown: 'not sure', neutral: '' } as const;

function conclusionTable({ sides, lines }: Conclusion): Markup {
  const named = sides.some((side) => side !== '');
  return html`<div class="scroll"><table class="conclusion"><caption class="hidden">The result of the run</caption>
${named ? html`<thead><tr><td></td><td></td>${sides.map((side) => html`<th scope="col" title="${side}">${side}</th>`)}<td></td></tr></thead>` : undefined}
<tbody>${lines.map(
    ({
      label,
      values,
      text,
      outcome,
    }) => html`<tr class="${outcome}"><td class="sign"><span aria-hidden="true">${SIGNS[outcome]}</span><span class="hidden">${SIGN_WORDS[outcome]}</span></td><th scope="row">${label}</th>${
      values.length === 0
        ? html`<td colspan="${sides.length + 1}">${text}</td>`
        : html`${values.map((value) => html`<td class="value">${value}</td>`)}<td>${text}</td>`
    }</tr>
`,
  )}</tbody></table></div>`;
}

/** Thresholds, comparisons, and what is wrong, in the order of the terminal report. */
function checks(report: Report): Markup[] {
  const { baseline } = report;
  const thresholds = thresholdLines(report);
  const ab = abLines(report);
  return [
    ...(thresholds.length === 0
      ? []
      : [
          table(
            HEADINGS.thresholds,
            columns('verdict', 'threshold', 'measured'),
            thresholds.map(({ verdict, expression, detail }) => [
              { text: verdict, tone: verdict === 'pass' ? 'good' : 'bad' },
              expression,
              detail,
            ]),
          ),
        ]),
    ...abSentences(report).map((sentence) => html`<p>${sentence}</p>`),
    ...(ab.length === 0
      ? []
      : [
          table(
            'B against A',
            columns('verdict', 'figure', 'B / A'),
            ab.map(({ verdict, figure, sentence, outcome }) => [
              { text: verdict, tone: outcome === 'fail' ? 'bad' : outcome === 'pass' ? 'good' : 'unknown' },
              figure,
              sentence,
            ]),
          ),
        ]),
    ...(baseline === undefined
      ? []
      : [
          html`<h3>${baselineHeading(baseline)}</h3><p>${oneLine(baseline.sentence)}</p>`,
          ...list([...baseline.details, ...baseline.obstacles, ...baseline.warnings].map(oneLine)),
          ...(baseline.summaries.length === 0 ? [] : [changeTable(baseline)]),
        ]),
    ...failures(report.cells),
    ...streams(report),
    ...list(cacheWarnings(report)),
  ];
}

function columns(...titles: readonly string[]) {
  return titles.map((title) => ({ title, align: 'left' as const }));
}

function failures(cells: readonly CellReport[]): Markup[] {
  const groups = groupFailures(cells);
  if (groups.length === 0) return [];
  const others = ungroupedFailures(cells);
  return [
    html`<h3>${HEADINGS.failures}</h3><ul class="findings">${groups.map(
      ({ what, count, body, hint, where }) => html`<li><p class="bad">${formatCount(count)} × ${what}</p>
${body.length === 0 ? undefined : html`<pre>${body.join('\n')}</pre>`}${hint === undefined ? undefined : html`<p>hint: ${hint}</p>`}<p class="note">in ${where.join('; ')}</p></li>`,
    )}${others > 0 ? html`<li>${formatCount(others)} other failures</li>` : undefined}</ul>`,
  ];
}

function streams(report: Report): Markup[] {
  const findings = streamFindings(report);
  const block = (title: string, tone: string, found: readonly StreamFinding[]) =>
    found.length === 0
      ? []
      : [
          html`<h3>${title}</h3><ul class="findings">${found.map(
            ({ verdict, evidence, where, causes }) =>
              html`<li><p class="${tone}">${verdict.replace('_', ' ')}: ${evidence}</p><p class="note">${where}</p>${causes.map((cause) => html`<p>remedy: ${cause}</p>`)}</li>`,
          )}</ul>`,
        ];
  const isOpen = ({ verdict }: StreamFinding) => verdict === 'inconclusive';
  return [
    ...block(
      HEADINGS.streamProblems,
      'bad',
      findings.filter((finding) => !isOpen(finding)),
    ),
    ...block(HEADINGS.streamsInconclusive, 'unknown', findings.filter(isOpen)),
  ];
}

function sweepParts(report: Report): PagePart['content'] {
  const { sweep } = report;
  if (sweep === undefined) return [];
  return [
    html`<p>${objectivesLine(sweep)}</p>`,
    ...sweep.searches.flatMap((search) => [
      ...(sweep.searches.length > 1 ? [html`<h3>${subjectName(search)}</h3>`] : []),
      ...list(searchSentences(sweep, search)),
    ]),
    ...sweepFigures(sweep),
  ];
}

const DETAIL: readonly Percentile[] = PERCENTILES.filter((percentile) => percentile !== 'p90');

function results(cells: readonly CellReport[]): Markup[] {
  const modes = [...new Set(cells.map(({ mode }) => mode))].map((mode) => {
    const rows = cells.filter((cell) => cell.mode === mode);
    return resultTable(mode, detailInWords(DETAIL), cellColumns(rows), rows, (row) =>
      (row.outcomes.ok ?? 0) === 0 ? absence(row) : undefined,
    );
  });
  const pairs = modePairs(cells);
  const serving = servingRows(cells);
  const nothing = () => undefined;
  return [
    ...modes,
    ...(pairs.length === 0
      ? []
      : [resultTable('streaming / non-streaming', 'p50', modePairColumns(pairs), pairs, nothing)]),
    ...(serving.length === 0
      ? []
      : [resultTable(SERVING_TITLE.name, SERVING_TITLE.detail, servingColumns(serving), serving, nothing)]),
  ];
}

function resultTable<Row>(
  title: string,
  detail: string,
  all: readonly Column<Row>[],
  rows: readonly Row[],
  instead: (row: Row) => string | undefined,
): Markup {
  const { labels, columns } = sharedLabels(all, rows);
  const caption = `${[title, ...labels].join(' · ')} (${detail})`;
  const firstMeasured = columns.findIndex(({ measured }) => measured);
  return table(
    caption,
    columns,
    rows.map((row) => {
      const reason = instead(row);
      return columns.map((column, index) => {
        if (reason !== undefined && column.measured)
          return { text: index === firstMeasured ? reason : '', order: null };
        return { text: column.text(row, DETAIL), order: column.order?.(row) };
      });
    }),
  );
}

function comparisons(report: Report): PagePart['content'] {
  const { cells, pairedComparisons, ab, baseline } = report;
  const machines = machineRows(report);
  return [
    ...modesFigure(cells),
    ...(ab === undefined ? [] : abFigure(ab)),
    ...(baseline === undefined ? [] : changeFigure(baseline)),
    ...pairedFigures(pairedComparisons),
    ...(pairedComparisons.length > 0 && pairedFigures(pairedComparisons).length === 0
      ? list(pairedSentences(report))
      : []),
    ...(machines.length === 0 ? [] : [table(HEADINGS.machines, columns(...MACHINE_COLUMNS), machines)]),
  ];
}
