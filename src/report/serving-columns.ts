import { DASH, formatMean, formatNumber, formatPair, formatShare, formatValue } from '../model/format.ts';
import type { LevelReport, PercentileEstimate, ServingReport } from '../model/load-report.ts';
import type { CellReport } from '../model/report.ts';
import { type Column, loadTitle } from './columns.ts';
import { oneLine } from './text-width.ts';
import { loadFigure } from './wording/load.ts';

/** The table of what inference servers report next to what the client measured. */

/** A cell whose server is a known inference server. */
export interface ServingRow {
  target: string;
  cell: CellReport;
  serving: ServingReport;
}

/** The cells with metrics of an inference server. */
export function servingRows(cells: readonly CellReport[]): ServingRow[] {
  return cells.flatMap((cell) => {
    const { serving } = cell.server ?? {};
    return serving === undefined || (cell.outcomes.ok ?? 0) === 0
      ? []
      : [{ target: cell.target, cell, serving }];
  });
}

/** The columns of that table. Columns without any value are left out. */
export function servingColumns(rows: readonly ServingRow[]): Column<ServingRow>[] {
  const cells = rows.map(({ cell }) => cell);
  const label = (title: string, text: (row: ServingRow) => string): Column<ServingRow> => ({
    ...{ title, align: 'left', drop: 0, measured: false },
    text,
  });
  const figure = (title: string, drop: number, text: (row: ServingRow) => string): Column<ServingRow> => ({
    ...{ title, align: 'right', drop, measured: true },
    text,
  });
  const columns = [
    ...(several(cells, ({ target }) => target) ? [label('target', ({ target }) => oneLine(target))] : []),
    ...(several(cells, ({ prompt }) => prompt) ? [label('prompt', ({ cell }) => oneLine(cell.prompt))] : []),
    ...(several(cells, ({ mode }) => mode) ? [label('mode', ({ cell }) => cell.mode)] : []),
    { ...figure(loadTitle(cells), 0, ({ cell }) => loadFigure(cell)), measured: false },
    figure('client TTFT', 0, ({ cell: { metrics } }) =>
      metrics.ttft ? formatPair(metrics.ttft.p50, metrics.ttft.p95, 'ms') : DASH,
    ),
    figure('server TTFT p50', 1, ({ serving }) => estimate(serving.ttft?.p50)),
    figure('server TTFT p95', 2, ({ serving }) => estimate(serving.ttft?.p95)),
    figure('queue', 0, ({ serving }) => level(serving.queue, formatMean)),
    figure('running', 3, ({ serving }) => level(serving.running, formatMean)),
    figure('KV cache', 1, ({ serving }) => level(serving.kvCache, formatShare)),
    figure('prefix hits', 2.5, ({ serving: { prefixCacheHits } }) =>
      prefixCacheHits === null ? DASH : formatShare(prefixCacheHits),
    ),
  ];
  return columns.filter((column) => rows.some((row) => column.text(row, ['p50']) !== DASH));
}

function several(cells: readonly CellReport[], of: (cell: CellReport) => string): boolean {
  return new Set(cells.map(of)).size > 1;
}

function level(value: LevelReport | null, format: (value: number) => string): string {
  return value === null ? DASH : `${format(value.mean)} / ${format(value.max)}`;
}

/** `180 ms (100–250)`: the estimate, and the bounds of the bucket that holds the percentile. */
function estimate(value: PercentileEstimate | undefined): string {
  if (value === undefined) return DASH;
  const { low, high } = value;
  if (high === null) return `over ${formatValue(low, 'ms')}`;
  return `${formatValue(value.value, 'ms')} (${formatNumber(low)}–${formatNumber(high)})`;
}

/** The titles of the table: its name, and what its pairs are. */
export const SERVING_TITLE = { name: 'Server metrics', detail: 'mean / max; client TTFT p50 / p95' };

/** Notes about the figures of inference servers. */
export function servingNotes(cells: readonly CellReport[]): string[] {
  const rows = servingRows(cells);
  const engines = [...new Set(rows.map(({ serving }) => serving.engine))].join(', ');
  const notes: string[] = [];
  if (rows.some(({ serving }) => serving.ttft !== null)) {
    notes.push(
      `Server TTFT is estimated from the histogram of the server (${engines}); in brackets, the bounds in ms between which it is. It excludes the network and the time before the server accepts a request.`,
    );
  }
  const other = rows.filter(({ cell, serving }) => (serving.ttft?.n ?? 0) > requestsOf(cell));
  const [first] = other;
  if (first !== undefined) {
    notes.push(
      `The server of ${oneLine(first.target)} counted ${first.serving.ttft?.n} first tokens during a cell in which the client sent ${requestsOf(first.cell)} requests: its figures include other traffic.`,
    );
  }
  return notes;
}

function requestsOf({ outcomes }: CellReport): number {
  const { dropped = 0, ...sent } = outcomes;
  return Object.values(sent).reduce((sum, count) => sum + count, 0);
}
