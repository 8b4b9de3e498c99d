import { metric } from '../metrics/definitions.ts';
import { cellKey, levelOf } from '../model/cells.ts';
import {
  DASH,
  formatCount,
  formatNumber,
  formatPair,
  formatShare,
  formatSpeedup,
  formatValue,
  formatValues,
} from '../model/format.ts';
import type { LoadLevel } from '../model/plan.ts';
import { formatMoney } from '../model/price.ts';
import type { CellReport } from '../model/report.ts';
import { PERCENTILES, type Percentile } from './percentiles.ts';
import { oneLine } from './text-width.ts';
import { plannedCancels } from './wording/behaviours.ts';
import { isMarked, levelFigure, loadFigure, MARK } from './wording/load.ts';
import { requestsOf } from './wording/notes.ts';
import { streamWord } from './wording/verdicts.ts';

/** The columns of the tables, for the terminal and for markdown. */

/** The percentiles that a figure is shown with. */
export type Detail = readonly Percentile[];

/** Shown unless others are requested. */
export const DEFAULT_DETAIL: Detail = ['p50', 'p95'];

/** The percentiles as the heading of a table: `p50 / p95`. */
export function detailInWords(detail: Detail): string {
  return detail.join(' / ');
}

/** One column of a table whose rows are `Row`s. */
export interface Column<Row> {
  title: string;
  align: 'left' | 'right';
  /** Priority: 0 is always shown; of the others, lower values are shown first. */
  drop: number;
  /** True for measured figures, which a row without a successful request does not have. */
  measured: boolean;
  text(row: Row, detail: Detail): string;
  /** How the table's title says it if all rows have the same text. Absent: the column is always shown. */
  inTitle?(text: string): string;
  /** The number that a table is sorted by, null without one. Absent: it is sorted by the text. */
  order?(row: Row): number | null;
}

function label<Row>(title: string, align: 'left' | 'right', text: Column<Row>['text']): Column<Row> {
  return { title, align, drop: 0, measured: false, text };
}

function measure(name: string, drop: number): Column<CellReport> {
  const { title, unit, better } = metric(name);
  // The p95 of a rate is among its best values; next to a median it would be read as one of the worst.
  const median = better === 'higher';
  // The column's title has the unit of a rate.
  const single = (value: number) => (unit === '1/s' ? formatNumber(value) : formatValue(value, unit));
  return {
    title,
    align: 'right',
    drop,
    measured: true,
    order: ({ metrics }) => metrics[name]?.p50 ?? null,
    text(cell, detail) {
      const summary = cell.metrics[name];
      if (!summary) return DASH;
      const figure =
        median || (detail.length === 1 && detail[0] === 'p50')
          ? single(summary.p50)
          : formatValues(
              detail.map((percentile) => summary[percentile]),
              unit,
            );
      return isMarked(cell, name) ? `${figure}${MARK}` : figure;
    },
  };
}

/** The columns for cells of one mode. The target column is present only with several targets. */
export function cellColumns(cells: readonly CellReport[]): Column<CellReport>[] {
  const streaming = cells.some(({ mode }) => mode === 'streaming');
  const columns: Column<CellReport>[] = [];
  if (new Set(cells.map(({ target }) => target)).size > 1) {
    columns.push(label('target', 'left', ({ target }) => oneLine(target)));
  }
  columns.push(
    { ...label<CellReport>('prompt', 'left', ({ prompt }) => oneLine(prompt)), inTitle: (text) => text },
    // An exclamation mark means that the client was saturated at this load level.
    {
      ...label<CellReport>(
        loadTitle(cells),
        loadAlign(cells),
        (cell) => `${cell.client?.verdict === 'saturated' ? '! ' : ''}${loadFigure(cell)}`,
      ),
      inTitle: (text) => loadInTitle(cells, text),
      order: ({ rate, concurrency }) => rate ?? concurrency,
    },
    {
      ...label<CellReport>(
        'ok',
        'right',
        (cell) =>
          `${formatCount(cell.outcomes.ok ?? 0)}/${formatCount(requestsOf(cell) - plannedCancels(cell))}`,
      ),
      inTitle: (text) => `${text} ok each`,
      order: ({ outcomes }) => outcomes.ok ?? 0,
    },
    ...(cells.some(({ behaviours }) => behaviours?.cancelled)
      ? [label<CellReport>('cancelled', 'right', (cell) => formatCount(plannedCancels(cell)))]
      : []),
    measure('ttfb', 3.5),
    // Without a stream, the first token comes with the last.
    measure('ttft', streaming ? 0 : 1),
  );
  if (cells.some(({ rate }) => rate !== undefined)) columns.push(measure('ttft_scheduled', 2.2));
  if (cells.some(hasReasoning)) columns.push(measure('ttfa', 1));
  if (streaming) columns.push(measure('gap', 2), measure('chunk_rate', 6), measure('token_rate', 4));
  columns.push(measure('total', streaming ? 1 : 0));
  if (cells.some(({ metrics }) => (metrics.cached_share?.max ?? 0) > 0)) {
    columns.push({
      title: metric('cached_share').title,
      align: 'right',
      drop: 1.2,
      measured: true,
      // Each request is a hit or a miss, so the mean is shown instead of the median.
      text: ({ metrics }) => (metrics.cached_share ? formatShare(metrics.cached_share.mean) : DASH),
      order: ({ metrics }) => metrics.cached_share?.mean ?? null,
    });
  }
  if (cells.some(({ streaming: verdict }) => verdict)) {
    columns.push({
      title: 'verdict',
      align: 'left',
      drop: 1.1,
      measured: true,
      text: streamWord,
      inTitle: (text) => (text === 'streaming' ? 'all stream' : `all ${text}`),
    });
  }
  if (cells.some(({ goodput }) => goodput)) {
    columns.push({
      title: 'goodput',
      align: 'right',
      drop: 1.5,
      measured: true,
      text: ({ goodput }) =>
        goodput ? `${formatValue(goodput.requestsPerSecond, '1/s')} (${formatShare(goodput.share)})` : DASH,
      order: ({ goodput }) => goodput?.requestsPerSecond ?? null,
    });
  }
  if (cells.some(({ cost }) => cost)) {
    columns.push({
      title: 'cost/1,000',
      align: 'right',
      drop: 1.3,
      measured: true,
      text: ({ cost }) =>
        cost?.perThousandAnswers == null ? DASH : formatMoney(cost.perThousandAnswers, cost.currency),
    });
  }
  columns.push({
    title: 'req/s',
    align: 'right',
    drop: 7,
    measured: true,
    text: ({ throughput: { requestsPerSecond } }) =>
      requestsPerSecond === null ? DASH : formatNumber(requestsPerSecond),
    order: ({ throughput: { requestsPerSecond } }) => requestsPerSecond,
  });
  return withoutRepeats(columns, cells);
}

/** The columns without those that repeat the figures of a more important one, such as the TTFB of whole answers. */
function withoutRepeats<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Column<Row>[] {
  const texts = new Map(
    columns.map((column) => [column, rows.map((row) => column.text(row, PERCENTILES)).join('\n')]),
  );
  return columns.filter(
    (column) =>
      !column.measured ||
      !columns.some(
        (other) =>
          other !== column &&
          other.measured &&
          other.drop < column.drop &&
          texts.get(other) === texts.get(column) &&
          // Without a figure in any row there is nothing to repeat.
          rows.some((row) => column.text(row, PERCENTILES) !== DASH),
      ),
  );
}

/** Labels that are the same in all rows, for the table's title, and the columns without them. */
export function sharedLabels<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): { labels: string[]; columns: Column<Row>[] } {
  if (rows.length < 2) return { labels: [], columns: [...columns] };
  const labels: string[] = [];
  const kept = columns.filter((column) => {
    if (column.inTitle === undefined) return true;
    const [first, ...others] = new Set(rows.map((row) => column.text(row, DEFAULT_DETAIL)));
    if (first === undefined || others.length > 0 || first === DASH) return true;
    labels.push(column.inTitle(first));
    return false;
  });
  return { labels, columns: kept };
}

/** The title of the column with the load level. */
export function loadTitle(rows: readonly LoadLevel[]): string {
  if (rows.some(({ stage }) => stage !== undefined)) return 'stage';
  return rows.some(({ rate }) => rate !== undefined) ? 'rate' : 'streams';
}

/** Names of stages may be long: columns that are aligned left can be narrowed. */
function loadAlign(rows: readonly LoadLevel[]): Column<unknown>['align'] {
  return loadTitle(rows) === 'stage' ? 'left' : 'right';
}

function loadInTitle(rows: readonly LoadLevel[], text: string): string {
  const unit = rows.some(({ rate }) => rate !== undefined) ? '' : text === '1' ? ' stream' : ' streams';
  return `${text}${unit}`;
}

// Without reasoning, TTFA equals TTFT and needs no column.
function hasReasoning({ metrics }: CellReport): boolean {
  const [ttft, ttfa] = [metrics.ttft, metrics.ttfa];
  return !!ttft && !!ttfa && ttfa.p50 > ttft.p50;
}

/** The two modes of one target and prompt at one load level. */
export interface ModePair extends LoadLevel {
  target: string;
  prompt: string;
  streaming: CellReport;
  nonStreaming: CellReport;
}

/** The cells that were measured in both modes. A mode without a single success has nothing to show. */
export function modePairs(cells: readonly CellReport[]): ModePair[] {
  const measured = new Map(cells.filter(({ outcomes }) => outcomes.ok).map((cell) => [cellKey(cell), cell]));
  return [...measured.values()].flatMap((streaming): ModePair[] => {
    if (streaming.mode !== 'streaming') return [];
    const nonStreaming = measured.get(cellKey({ ...streaming, mode: 'non-streaming' }));
    const { target, prompt } = streaming;
    return nonStreaming ? [{ target, prompt, ...levelOf(streaming), streaming, nonStreaming }] : [];
  });
}

/** Median TTFT of non-streaming over that of streaming, as the table shows them. Null where a side has none. */
export function firstTokenRatio({ streaming, nonStreaming }: ModePair): number | null {
  const [first, whole] = [streaming.metrics.ttft?.p50, nonStreaming.metrics.ttft?.p50];
  return first && whole !== undefined ? whole / first : null;
}

/** The columns of streaming next to non-streaming; figures are medians, `streaming / non-streaming`. */
export function modePairColumns(pairs: readonly ModePair[]): Column<ModePair>[] {
  const medians = (name: string, drop: number): Column<ModePair> => ({
    title: metric(name).title,
    align: 'right',
    drop,
    measured: true,
    text: ({ streaming, nonStreaming }) =>
      formatPair(streaming.metrics[name]?.p50 ?? null, nonStreaming.metrics[name]?.p50 ?? null, 'ms'),
    order: ({ streaming }) => streaming.metrics[name]?.p50 ?? null,
  });
  const columns: Column<ModePair>[] = [];
  if (new Set(pairs.map(({ target }) => target)).size > 1) {
    columns.push(label('target', 'left', ({ target }) => oneLine(target)));
  }
  columns.push(
    { ...label<ModePair>('prompt', 'left', ({ prompt }) => oneLine(prompt)), inTitle: (text) => text },
    {
      ...label<ModePair>(loadTitle(pairs), loadAlign(pairs), levelFigure),
      inTitle: (text) => loadInTitle(pairs, text),
    },
    medians('ttfb', 3),
    medians('ttft', 1),
    medians('total', 2),
    medians('reader_wait', 4),
    {
      ...label<ModePair>('first token', 'right', (pair) => formatSpeedup(firstTokenRatio(pair))),
      order: firstTokenRatio,
    },
  );
  return withoutRepeats(columns, pairs);
}
