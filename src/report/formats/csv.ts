import type { CellReport, Report } from '../../model/report.ts';
import { visible } from '../../model/visible.ts';

const STATISTICS = ['min', 'mean', 'sd', 'p50', 'p90', 'p95', 'p99', 'max'] as const;
const HEADER = [
  'run',
  'target',
  'prompt',
  'concurrency',
  'rate',
  'mode',
  'requests',
  'ok',
  'metric',
  'unit',
  'n',
  ...STATISTICS,
  'token_source',
  'goodput_per_second',
  'goodput_share',
  'reached_mean',
  'reached_max',
  'load_reached',
  'client_verdict',
  'client_late_ms',
  'stage',
  'load_from',
  'cost_per_request',
  'cost_per_1000_answers',
  'currency',
];

/**
 * One row for each metric of each cell, as in RFC 4180 (commas, CRLF, header row). Full precision, times in ms, rates per
 * second. `client_verdict` and `client_late_ms` belong to the metric, `load_reached` to the cell. A metric without values
 * has a row with n 0 and empty figures.
 */
export function csvReport(report: Report): string {
  const rows = report.cells.flatMap((cell) => cellRows(report.run.id, cell));
  return [HEADER, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function cellRows(run: string, cell: CellReport): (string | number)[][] {
  const requests = Object.values(cell.outcomes).reduce((sum, count) => sum + count, 0);
  const { target, prompt, concurrency, rate, mode, outcomes } = cell;
  return Object.entries(cell.metrics).map(([name, summary]) => [
    run,
    target,
    prompt,
    concurrency,
    rate ?? '',
    mode,
    requests,
    outcomes.ok ?? 0,
    name,
    summary?.unit ?? '',
    summary?.n ?? 0,
    ...STATISTICS.map((statistic) => summary?.[statistic] ?? ''),
    cell.tokenSource ?? '',
    cell.goodput?.requestsPerSecond ?? '',
    cell.goodput?.share ?? '',
    cell.reached?.mean ?? '',
    cell.reached?.max ?? '',
    cell.reached ? String(cell.reached.met) : '',
    cell.client?.metrics?.[name]?.verdict ?? '',
    cell.client?.metrics?.[name]?.lateMs ?? '',
    cell.stage ?? '',
    cell.from ?? '',
    cell.cost?.perRequest ?? '',
    cell.cost?.perThousandAnswers ?? '',
    cell.cost?.currency ?? '',
  ]);
}

// A spreadsheet reads a text that starts like this as a formula, also with full-width characters.
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const NUMBER = /^[+-]?\d+(\.\d+)?$/;

/** A number unchanged; a text with invisible characters escaped, and an apostrophe in front of a formula. */
function field(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) && !NUMBER.test(value) ? `'${visible(value)}` : visible(value);
  return /["',\r\n\t;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
