import { METRICS, type MetricDefinition } from '../../metrics/definitions.ts';
import type { CellReport, GateResult, MetricSummary, Report } from '../../model/report.ts';
import { visible } from '../../model/visible.ts';
import { isMarked } from '../wording/load.ts';

/**
 * The text format that Prometheus scrapes, for the textfile collector or a push gateway. Base units, as is the custom
 * there: times in seconds. Every series carries its scenario, so that the files of several can be joined.
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
  /** What follows the family's name: `_sum`. */
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

function labelsOf({ target, prompt, concurrency, rate, mode }: CellReport): Labels {
  const load: Labels = rate === undefined ? { concurrency: String(concurrency) } : { rate: String(rate) };
  return { target, prompt, ...load, mode };
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
    gauge('requests', 'Measured requests by outcome; only those that were ok enter the figures.', (cell) =>
      Object.entries({ ok: 0, ...cell.outcomes }).map(([outcome, count]) => [count, { outcome }] as const),
    ),
    gauge('throughput_requests_per_second', 'Good answers a second at the load of the cell.', (cell) => [
      [cell.throughput.requestsPerSecond],
    ]),
    gauge(
      'throughput_tokens_per_second',
      'All output tokens of good answers, hidden reasoning included, a second at the load of the cell.',
      (cell) => [[cell.throughput.tokensPerSecond]],
    ),
    gauge('throughput_window_seconds', 'The time over which throughput was counted.', ({ throughput }) => [
      [throughput.windowMs / 1000, { basis: throughput.basis ?? 'unknown' }],
    ]),
    gauge('load_streams', 'Streams open at once, over the time of the throughput.', ({ reached }) =>
      reached
        ? [
            [reached.mean, { stat: 'mean' }],
            [reached.max, { stat: 'max' }],
          ]
        : [],
    ),
    gauge(
      'load_reached',
      '1 where the cell had the load that was asked for, 0 where it was lower.',
      ({ reached }) => [[reached && (reached.met ? 1 : 0)]],
    ),
    gauge('goodput_requests_per_second', 'Good answers a second that met every objective.', (cell) => [
      [cell.goodput?.requestsPerSecond],
    ]),
    gauge('goodput_ratio', 'The share of requests that met every objective.', (cell) => [
      [cell.goodput?.share],
    ]),
    gauge('token_source', 'Where the counts of output tokens come from; always 1.', ({ tokenSource }) =>
      tokenSource === null ? [] : [[1, { source: tokenSource }]],
    ),
    gauge('streams', 'Streams by the verdict on whether they really streamed.', ({ streaming }) =>
      Object.entries(streaming?.counts ?? {}).map(([verdict, count]) => [count, { verdict }] as const),
    ),
    gauge('client_utilization_ratio', "How busy the client's event loop was, at its busiest.", (cell) => [
      [cell.client?.utilization],
    ]),
    gauge('client_delay_seconds', "How late the client's event loop came round (p99).", ({ client }) => [
      [client ? client.delayP99Ms / 1000 : null],
    ]),
    gauge(
      'client_late_seconds',
      "By how much the metric's p99 may be too high because the client was late.",
      (cell) =>
        Object.entries(cell.client?.metrics ?? {}).map(
          ([metric, { lateMs }]) => [lateMs / 1000, { metric }] as const,
        ),
    ),
    gauge('client_marked', '1 where the lateness of the client may be in the metric, else 0.', (cell) =>
      Object.keys(cell.client?.metrics ?? {}).map(
        (metric) => [isMarked(cell, metric) ? 1 : 0, { metric }] as const,
      ),
    ),
  ];
}

function gateFamily(gates: readonly GateResult[], common: Labels): Family {
  // A condition written twice is one series: two of the same name would make the whole text invalid.
  const passed = new Map<string, number>();
  for (const { expression, verdict } of gates) {
    passed.set(expression, Math.min(passed.get(expression) ?? 1, verdict === 'pass' ? 1 : 0));
  }
  return {
    name: 'streambench_gate_passed',
    type: 'gauge',
    help: '1 where the condition was met, 0 where it was not or could not be judged.',
    series: Array.from(passed, ([expression, value]) => ({ labels: { ...common, expression }, value })),
  };
}

function runFamilies({ run, environment }: Report, common: Labels): Family[] {
  const started = Date.parse(run.startedAt);
  return [
    {
      name: 'streambench_run_info',
      type: 'gauge',
      help: 'The run that these figures are from; always 1.',
      series: [{ labels: { ...common, run: run.id, version: environment.streambench }, value: 1 }],
    },
    {
      name: 'streambench_run_aborted',
      type: 'gauge',
      help: '1 where the run did not do all that was planned.',
      series: [{ labels: common, value: run.aborted || !run.endedAt ? 1 : 0 }],
    },
    {
      name: 'streambench_run_start_timestamp_seconds',
      type: 'gauge',
      help: 'When the run began, in Unix time.',
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

// 12 digits are more than was measured, and hide what binary fractions add.
function figure(value: number): string {
  return String(Number(value.toPrecision(12)));
}

// Backslash, quote and line feed have escapes; what is invisible is shown as a text.
function escaped(text: string): string {
  return visible(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
