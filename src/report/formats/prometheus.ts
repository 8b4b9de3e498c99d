import { METRICS, type MetricDefinition } from '../../metrics/definitions.ts';
import type { CellReport, GateResult, MetricSummary, Report } from '../../model/report.ts';
import { visible } from '../../model/visible.ts';
import { isMarked } from '../wording/load.ts';

/**
 * The Prometheus text format, for the textfile collector or a push gateway. Times are in seconds, the base unit of
 * Prometheus. Every series has the label `scenario`, so that the files of several scenarios can be joined.
 */
export function prometheusReport(report: Report): string {
  const scenario = { scenario: report.scenario.name };
  const families = [
    ...METRICS.map((definition) => summaryFamily(definition, report.cells, scenario)),
    ...cellFamilies(report.cells, scenario),
    gateFamily(report.gates, scenario),
    ...runFamilies(report, scenario),
  ];
  return families
    .filter(({ series }) => series.length > 0)
    .map(exposition)
    .join('');
}

type Labels = Readonly<Record<string, string>>;

interface Series {
  /** The suffix of the family name, such as `_sum`. */
  suffix?: string;
  labels: Labels;
  value: number;
}

interface Family {
  name: string;
  type: 'gauge' | 'summary';
  help: string;
  series: Series[];
}

const QUANTILES = [
  ['0', 'min'],
  ['0.5', 'p50'],
  ['0.9', 'p90'],
  ['0.95', 'p95'],
  ['0.99', 'p99'],
  ['1', 'max'],
] as const;

function summaryFamily(definition: MetricDefinition, cells: readonly CellReport[], common: Labels): Family {
  const { name, title, unit, formula, note } = definition;
  const scale = unit === 'ms' ? 0.001 : 1;
  return {
    name: summaryName(definition),
    type: 'summary',
    help: `${title}: ${formula}${note ? ` (${note})` : ''}.`,
    series: cells.flatMap((cell) => {
      const summary = cell.metrics[name];
      return summary ? summarySeries(summary, { ...common, ...labelsOf(cell) }, scale) : [];
    }),
  };
}

function summarySeries(summary: MetricSummary, labels: Labels, scale: number): Series[] {
  return [
    ...QUANTILES.map(([quantile, key]) => ({
      labels: { ...labels, quantile },
      value: summary[key] * scale,
    })),
    { suffix: '_sum', labels, value: summary.mean * summary.n * scale },
    { suffix: '_count', labels, value: summary.n },
  ];
}

function summaryName({ name, unit }: MetricDefinition): string {
  switch (unit) {
    case 'ms':
      return `streambench_${name.replace(/_ms$/, '')}_seconds`;
    case '1/s':
      return `streambench_${name}_per_second`;
    case 'bytes':
      return name === 'bytes' ? 'streambench_body_bytes' : `streambench_${name}_bytes`;
    case 'ratio':
      return `streambench_${name}_ratio`;
    case 'count':
      return `streambench_${name}`;
    default:
      return unit satisfies never;
  }
}

function labelsOf({ target, prompt, concurrency, rate, stage, mode }: CellReport): Labels {
  const load: Labels = rate === undefined ? { concurrency: String(concurrency) } : { rate: String(rate) };
  return { target, prompt, ...load, ...(stage !== undefined && { stage }), mode };
}

function cellFamilies(cells: readonly CellReport[], common: Labels): Family[] {
  const gauge = (
    name: string,
    help: string,
    values: (cell: CellReport) => (readonly [number | null | undefined, Labels?])[],
  ): Family => ({
    name: `streambench_${name}`,
    type: 'gauge',
    help,
    series: cells.flatMap((cell) =>
      values(cell).flatMap(([value, more]) =>
        value == null ? [] : [{ labels: { ...common, ...labelsOf(cell), ...more }, value }],
      ),
    ),
  });
  return [
    gauge('requests', 'Measured requests by outcome; only successful ones (ok) enter the figures.', (cell) =>
      Object.entries({ ok: 0, ...cell.outcomes }).map(([outcome, count]) => [count, { outcome }] as const),
    ),
    gauge(
      'throughput_requests_per_second',
      'Successful requests per second at the load level of the cell.',
      (cell) => [[cell.throughput.requestsPerSecond]],
    ),
    gauge(
      'throughput_tokens_per_second',
      'Output tokens of successful requests per second, including hidden reasoning, at the load level of the cell.',
      (cell) => [[cell.throughput.tokensPerSecond]],
    ),
    gauge('throughput_window_seconds', 'The time over which throughput was measured.', ({ throughput }) => [
      [throughput.windowMs / 1000, { basis: throughput.basis ?? 'unknown' }],
    ]),
    gauge(
      'load_streams',
      'Concurrent streams during the time over which throughput was measured.',
      ({ reached }) =>
        reached
          ? [
              [reached.mean, { stat: 'mean' }],
              [reached.max, { stat: 'max' }],
            ]
          : [],
    ),
    gauge('load_reached', '1 if the cell reached its load level, else 0.', ({ reached }) => [
      [reached && (reached.met ? 1 : 0)],
    ]),
    gauge('goodput_requests_per_second', 'Requests per second that met every objective.', (cell) => [
      [cell.goodput?.requestsPerSecond],
    ]),
    gauge('goodput_ratio', 'The share of requests that met every objective.', (cell) => [
      [cell.goodput?.share],
    ]),
    gauge('token_source', 'Source of the output token counts; always 1.', ({ tokenSource }) =>
      tokenSource === null ? [] : [[1, { source: tokenSource }]],
    ),
    gauge('streams', 'Streams by streaming verdict.', ({ streaming }) =>
      Object.entries(streaming?.counts ?? {}).map(([verdict, count]) => [count, { verdict }] as const),
    ),
    gauge('client_utilization_ratio', "Maximum utilization of the client's event loop.", (cell) => [
      [cell.client?.utilization],
    ]),
    gauge('client_delay_seconds', 'Event loop delay of the client (p99).', ({ client }) => [
      [client ? client.delayP99Ms / 1000 : null],
    ]),
    gauge(
      'client_late_seconds',
      "How much too high the metric's p99 may be because of client lateness.",
      (cell) =>
        Object.entries(cell.client?.metrics ?? {}).map(
          ([metric, { lateMs }]) => [lateMs / 1000, { metric }] as const,
        ),
    ),
    gauge('client_marked', '1 if client lateness may affect the metric, else 0.', (cell) =>
      Object.keys(cell.client?.metrics ?? {}).map(
        (metric) => [isMarked(cell, metric) ? 1 : 0, { metric }] as const,
      ),
    ),
  ];
}

function gateFamily(gates: readonly GateResult[], common: Labels): Family {
  // A repeated threshold is one series, because a duplicate series makes the whole text invalid.
  const passed = new Map<string, number>();
  for (const { expression, verdict } of gates) {
    passed.set(expression, Math.min(passed.get(expression) ?? 1, verdict === 'pass' ? 1 : 0));
  }
  return {
    name: 'streambench_gate_passed',
    type: 'gauge',
    help: '1 if the threshold was met, 0 if it was not or had no data.',
    series: Array.from(passed, ([expression, value]) => ({ labels: { ...common, expression }, value })),
  };
}

function runFamilies({ run, environment }: Report, common: Labels): Family[] {
  const started = Date.parse(run.startedAt);
  return [
    {
      name: 'streambench_run_info',
      type: 'gauge',
      help: 'The run of these figures; always 1.',
      series: [{ labels: { ...common, run: run.id, version: environment.streambench }, value: 1 }],
    },
    {
      name: 'streambench_run_aborted',
      type: 'gauge',
      help: '1 if the run is incomplete, else 0.',
      series: [{ labels: common, value: run.aborted || !run.endedAt ? 1 : 0 }],
    },
    {
      name: 'streambench_run_start_timestamp_seconds',
      type: 'gauge',
      help: 'Start of the run, in Unix time.',
      series: Number.isFinite(started) ? [{ labels: common, value: started / 1000 }] : [],
    },
  ];
}

function exposition({ name, type, help, series }: Family): string {
  const lines = series.map(({ suffix = '', labels, value }) => {
    const inner = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${suffix}{${inner.join(',')}} ${figure(value)}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

// 12 digits exceed the precision of the measurement and hide binary rounding.
function figure(value: number): string {
  return String(Number(value.toPrecision(12)));
}

// Escapes backslash, quote and line feed, and makes invisible characters visible.
function escaped(text: string): string {
  return visible(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
