import type { CellReport, Report } from '../model/report.ts';

const STATISTICS = ['min', 'mean', 'sd', 'p50', 'p90', 'p95', 'p99', 'max'] as const;
const HEAD = [
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
];

/**
 * One row for each metric of each cell, as in RFC 4180 (commas, CRLF, a head row). Full precision, times in ms,
 * rates per second. `client_verdict` and `client_late_ms` are of the row's metric, `load_reached` of its cell. A metric without values has its row too, with n 0 and the figures left empty.
 */
export function csvReport(report: Report): string {
  const rows = report.cells.flatMap((cell) => cellRows(report.run.id, cell));
  return [HEAD, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
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
  ]);
}

function field(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
