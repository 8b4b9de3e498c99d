import { DASH, formatValue } from '../../model/format.ts';
import type { HistoryChange, HistoryReport, HistoryRun, HistorySeries } from '../../model/history.ts';
import {
  cellNames,
  changeInShort,
  changeSentences,
  dateAndTime,
  dateOf,
  directionOf,
  groupRemark,
  groupTitle,
  historySummary,
  methodInWords,
  missingReason,
  poolingInWords,
} from '../history/history-words.ts';
import { plotRange } from '../history/trend-line.ts';
import { oneLine } from '../text-width.ts';
import { charted, type Guide, type LinesChart } from './chart.ts';
import { html, type Markup } from './markup.ts';
import { type Figure, type PagePart, renderPage } from './page.ts';
import { list, table } from './tables.ts';

/** A history as one page: for each group of runs its changes, a chart for each figure, and all runs. */
export function htmlHistory(report: HistoryReport): string {
  return renderPage({
    title: oneLine(report.source),
    parts: [
      {
        id: 'conclusion',
        title: 'Conclusion',
        content: [html`<p class="statement">${historySummary(report)}</p>`],
      },
      ...report.groups.map((_, index) => groupPart(report, index)),
      { id: 'notes', title: 'Notes', content: list(report.warnings) },
    ],
    footer: [methodInWords(report)],
  });
}

function groupPart(report: HistoryReport, index: number): PagePart {
  const group = report.groups[index];
  const series = report.series.filter((one) => one.group === index);
  const changes = changeSentences(report.changePoints.filter((one) => one.group === index));
  const remark = group && groupRemark(group);
  return {
    id: `runs-${index + 1}`,
    title: group === undefined ? '' : groupTitle(group),
    content: [
      ...(remark === undefined ? [] : [html`<p class="note">${remark}</p>`]),
      ...(changes.length === 0
        ? []
        : [
            html`<ul class="findings">${changes.map(
              ({ direction, text }) =>
                html`<li class="${direction === 'worse' ? 'bad' : 'good'}">${text}</li>`,
            )}</ul>`,
          ]),
      ...figures(report, series, index),
      runTable(report, series, index),
    ],
  };
}

function figures(report: HistoryReport, series: readonly HistorySeries[], group: number): Figure[] {
  const runs = report.runs.filter((run) => run.group === group);
  const names = cellNames(series.flatMap(({ cell }) => cell ?? []));
  let cell = 0;
  return series.map((one): Figure => {
    const name = one.cell === null ? poolingInWords(one) : names[cell++];
    const changes = report.changePoints.filter(
      (change) => change.group === group && change.figure === one.figure && change.cell === one.cell,
    );
    const known = one.values.filter((value) => value !== null).length;
    return {
      title: name === undefined ? one.figure : `${one.figure}, ${name}`,
      summary: trendInWords(one, changes),
      notes:
        known === runs.length
          ? []
          : [`${runs.length - known} of ${runs.length} runs have no value (crosses at the bottom).`],
      chart: trendChart(one, runs, changes),
    };
  });
}

function trendInWords({ values, unit }: HistorySeries, changes: readonly HistoryChange[]): string {
  const present = values.flatMap((value) => value ?? []);
  const last = present.at(-1);
  if (last === undefined) return 'No run has a value.';
  const range = `${formatValue(Math.min(...present), unit)} to ${formatValue(Math.max(...present), unit)}`;
  const found = changes.map((change) => `${changeInShort(change)} on ${dateOf(change.startedAt)}`);
  return `From ${range}, last ${formatValue(last, unit)}; ${found.length === 0 ? 'no change' : `changed ${found.join(', ')}`}.`;
}

/** A series: a point for each run, the levels, and the changes. */
function trendChart(
  { values, unit, levels, figure }: HistorySeries,
  runs: readonly HistoryRun[],
  changes: readonly HistoryChange[],
): LinesChart {
  const present = values.flatMap((value) => value ?? []);
  const [low, high] = plotRange(Math.min(...present), Math.max(...present));
  const medians = levels.map(({ median }) => charted(median, unit));
  return {
    kind: 'lines',
    x: {
      label: 'run',
      unit: 'text',
      names: runs.map(({ startedAt, commit, id }) =>
        oneLine(`${dateOf(startedAt)} ${commit?.slice(0, 7) ?? id.slice(-4)}`),
      ),
    },
    y: {
      label: figure,
      unit,
      range: present.length === 0 ? undefined : [charted(low, unit), charted(high, unit)],
    },
    lines: [
      {
        name: 'level',
        style: 1,
        step: true,
        x: [...levels.map(({ from }) => from - 0.5), values.length - 0.5],
        y: medians.length === 0 ? [null] : [...medians, medians.at(-1) ?? null],
      },
      {
        name: figure,
        style: 0,
        joined: false,
        tones: values.map(() => 'neutral'),
        x: [...values.keys()],
        y: values.map((value) => (value === null ? null : charted(value, unit))),
      },
    ],
    guides: changes.map(
      (change): Guide => ({
        axis: 'x',
        at: runs.findIndex(({ id }) => id === change.run) - 0.5,
        label: `${changeInShort(change)} ${directionOf(change)}`,
        tone: change.direction === 'worse' ? 'bad' : 'good',
      }),
    ),
    missing: values.flatMap((value, index) => (value === null ? [index] : [])),
  };
}

/** Every run with its figures over all cells. */
function runTable(report: HistoryReport, series: readonly HistorySeries[], group: number): Markup {
  const overall = series.filter(({ cell }) => cell === null);
  return table(
    'All runs',
    [
      { title: 'date (UTC)', align: 'left' },
      { title: 'commit', align: 'left' },
      { title: 'branch', align: 'left' },
      { title: 'run', align: 'left' },
      ...overall.map(({ figure }) => ({ title: figure, align: 'right' as const })),
      { title: 'level', align: 'left' },
    ],
    report.runs
      .filter((run) => run.group === group)
      .map((run) => [
        dateAndTime(run.startedAt),
        oneLine(run.commit ?? DASH),
        oneLine(run.branch ?? DASH),
        oneLine(run.id),
        ...overall.map(({ figure, unit }) => {
          const value = run.figures[figure] ?? null;
          return {
            text: value === null ? `${DASH} ${missingReason(run)}` : formatValue(value, unit),
            order: value,
          };
        }),
        run.newLevel ? 'accepted as a new level' : '',
      ]),
  );
}
