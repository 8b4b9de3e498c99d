import { createDistribution } from '../../src/metrics/distribution.ts';
import type { CellReport, FailureSummary, GateResult, Report } from '../../src/model/report.ts';
import type { BaselineReport, RunComparisonRow } from '../../src/model/run-comparison.ts';
import { type SampleOptions, sampleReport } from './sample.ts';

const COUNTS = { streaming: 0, buffered: 0, replayed: 0, tail_buffered: 0, coarse: 0, inconclusive: 0 };

/** A gate as the evaluation leaves it. */
export function gate(changes: Partial<GateResult> = {}): GateResult {
  return {
    expression: 'ttft.p95 < 800ms',
    verdict: 'pass',
    actual: 241.25,
    unit: 'ms',
    cell: { target: 'flash', prompt: 'short', concurrency: 1, mode: 'streaming' },
    cells: { passed: 2, failed: 0, noData: 0 },
    notes: [],
    ...changes,
  };
}

/** One gate of each verdict. */
export const GATES: readonly GateResult[] = [
  gate(),
  gate({
    expression: 'streaming.verdict == streaming',
    verdict: 'fail',
    actual: 'replayed',
    unit: 'verdict',
    cells: { passed: 1, failed: 1, noData: 0 },
    notes: ['2 of 40 requests failed and are not included'],
  }),
  gate({
    expression: 'connect.p50 < 5ms',
    verdict: 'no-data',
    actual: null,
    cells: { passed: 0, failed: 0, noData: 0 },
    notes: ['no request has a value of connect.p50'],
  }),
];

/** A run with a bit of everything: gates of each verdict, a stream that is none, a client that was late. */
export function gatedReport(options: SampleOptions = {}): Report {
  const report = sampleReport({ prompts: ['short', 'long'], ...options });
  report.gates = [...GATES];
  const streamed = report.cells.filter(({ mode }) => mode === 'streaming');
  for (const cell of streamed) {
    cell.streaming = { verdict: 'streaming', evidence: 'as made', counts: { ...COUNTS, streaming: 38 } };
    cell.client = client('ok');
  }
  const [odd] = streamed;
  if (odd) {
    odd.streaming = {
      verdict: 'replayed',
      evidence: '38 of 38: dribbled',
      counts: { ...COUNTS, replayed: 38 },
    };
    odd.client = client('saturated');
  }
  return report;
}

function client(verdict: 'ok' | 'saturated'): NonNullable<CellReport['client']> {
  return {
    verdict,
    reason: 'event loop 91 % busy',
    utilization: 0.91,
    delayP99Ms: 48.5,
    delayMaxMs: 60,
    gcShare: 0.02,
    cpuCores: 1.1,
    latenessP99Ms: 3,
    newConnectionShare: 0.1,
    reads: 10,
    events: 10,
    threads: 1,
  };
}

/** A report of one streaming cell whose first tokens took these times, in ms. */
export function reportWithTtft(values: readonly number[], sampleLimit?: number): Report {
  const one = gatedReport({ prompts: ['short'], concurrency: [1], modes: ['streaming'] });
  const distribution = createDistribution('ms', sampleLimit);
  for (const value of values) distribution.add(value);
  one.cells[0]!.metrics.ttft = distribution.summary();
  one.cells[0]!.outcomes = { ok: values.length };
  return one;
}

/** The run broken off: its last cells were never begun. */
export function abortedReport(): Report {
  const report = gatedReport();
  report.gates = [];
  report.run = { ...report.run, aborted: true, abortReason: 'interrupted' };
  delete report.run.endedAt;
  for (const cell of report.cells.slice(-2)) emptied(cell, {}, []);
  return report;
}

/** A run in which nothing was ok; with the gates given. */
export function failedReport(gates: readonly GateResult[] = []): Report {
  const report = gatedReport();
  report.gates = [...gates];
  for (const cell of report.cells) {
    emptied(cell, { http_error: 40 }, [
      { kind: 'http_error', count: 40, message: 'HTTP 500', body: '{"error":\n"full"}', hint: 'try fewer' },
    ]);
  }
  return report;
}

function emptied(cell: CellReport, outcomes: CellReport['outcomes'], failures: FailureSummary[]): void {
  Object.assign(cell, { outcomes, failures, streaming: null, client: null, coalescedShare: null });
  cell.metrics = Object.fromEntries(Object.keys(cell.metrics).map((name) => [name, null]));
  cell.throughput = { requestsPerSecond: null, tokensPerSecond: null, windowMs: 0 };
  cell.tokenSource = null;
}

function comparisonRow(changes: Partial<RunComparisonRow> = {}): RunComparisonRow {
  const { figure = 'ttft.p50', verdict = 'equivalent' } = changes;
  return {
    cell: null,
    figure,
    unit: 'ms',
    better: 'lower',
    base: { n: 1600, censored: 0, value: 182.4 },
    next: { n: 200, censored: 0, value: 240.1 },
    change: 0.316,
    low: 0.2,
    high: 0.4,
    tolerance: 0.1,
    verdict,
    gated: true,
    pWorse: 0.001,
    pBetter: 1,
    detectable: 0.18,
    sentence: `${figure} +32 % (+20 to +40), 240 ms instead of 182 ms: ${verdict}`,
    ...changes,
  };
}

/** The comparison with a baseline: one figure of each verdict, a pin and two cells. */
export function baselineOf(changes: Partial<BaselineReport> = {}): BaselineReport {
  const cell = { target: 'flash', prompt: 'short', concurrency: 1, mode: 'streaming' as const };
  const summaries = [
    comparisonRow(),
    comparisonRow({ figure: 'ttft.p95', verdict: 'regression' }),
    comparisonRow({ figure: 'total.p50', verdict: 'inconclusive', low: null, high: null, change: null }),
    comparisonRow({ figure: 'total.mean', verdict: 'unchanged' }),
    comparisonRow({ figure: 'gap.p95', verdict: 'inconclusive', gated: false }),
    comparisonRow({
      ...{ figure: 'errors.rate', unit: 'ratio', change: 0.002, low: -0.01, high: 0.01, tolerance: 0.01 },
      ...{ base: { n: 1600, censored: 0, value: 0 }, next: { n: 200, censored: 0, value: 0.002 } },
    }),
    comparisonRow({ pin: 'v1.2', verdict: 'unchanged', gated: false }),
  ];
  return {
    name: 'main',
    strict: false,
    verdict: 'regression',
    sentence: `regression: ${summaries[1]!.sentence}`,
    details: ['compared with 8 accepted runs of main, which differ by 3.1 % (standard deviation)'],
    obstacles: [],
    warnings: ['the version of Node differs: 20, 22'],
    base: 'main',
    next: 'run-b',
    history: { runs: ['run-a'], assumedSpread: null, measuredSpread: 0.031 },
    settings: { seed: 1, alpha: 0.05 },
    summaries,
    cells: [
      comparisonRow({ cell, verdict: 'regression', low: null, high: null, detectable: null }),
      comparisonRow({ cell: { ...cell, concurrency: 4 }, verdict: 'unchanged', gated: false }),
    ],
    ...changes,
  };
}

/** A run that was held against a baseline. */
export function comparedReport(changes: Partial<BaselineReport> = {}): Report {
  return { ...gatedReport(), gates: [gate()], baseline: baselineOf(changes) };
}

/** The same against a baseline of something else. */
export function incomparableReport(): Report {
  const sentence = 'not comparable: the runs are of different scenarios: "demo", "other"';
  const obstacles = ['the runs are of different scenarios: "demo", "other"'];
  return comparedReport({ verdict: 'not_comparable', sentence, obstacles, summaries: [], cells: [] });
}

/** What names and messages can hold at worst. */
export const NASTY =
  'a"b\'<c>&]]>\n::error::x\r\n%0A\\|`*@all 请介绍 🚀 \u0000\u0007\u001b[31m\u202e\ud800,{}=#/ z\u009b\u061c\u200b\u200e\u2028\u2066\ufeff\u{e0041} https://e.example #7';

/** A run whose names and messages are all as bad as they can be. */
export function nastyReport(): Report {
  const report = gatedReport({ targets: [NASTY], prompts: [NASTY, `${NASTY}2`] });
  report.scenario = { ...report.scenario, name: NASTY, description: NASTY };
  report.run = { ...report.run, abortReason: NASTY, aborted: true };
  report.gates = GATES.map((one) => ({
    ...one,
    expression: `${one.expression} ${NASTY}`,
    notes: [NASTY],
    cell: { target: NASTY, prompt: NASTY, concurrency: 1, mode: 'streaming' },
  }));
  report.baseline = baselineOf({
    name: NASTY,
    sentence: NASTY,
    obstacles: [NASTY],
    warnings: [NASTY],
    summaries: baselineOf().summaries.map((row) => ({ ...row, pin: NASTY, sentence: NASTY })),
    cells: baselineOf().cells.map((row) => ({
      ...row,
      sentence: NASTY,
      cell: { target: NASTY, prompt: NASTY, concurrency: 1, mode: 'streaming' },
    })),
    details: [NASTY],
  });
  for (const cell of report.cells) {
    cell.failures = [{ kind: 'network', count: 2, message: NASTY, body: NASTY, hint: NASTY }];
    if (cell.streaming) cell.streaming = { ...cell.streaming, verdict: 'buffered', evidence: NASTY };
    if (cell.client) cell.client = { ...cell.client, reason: NASTY };
  }
  return report;
}

/** A run of very many cells, each with a failure and a finding of its own. */
export function manyCells(count: number): Report {
  const report = gatedReport({ prompts: ['short'], concurrency: [1], modes: ['streaming'] });
  const [model] = report.cells;
  report.cells = Array.from({ length: count }, (_, index) => ({
    ...model!,
    prompt: `prompt ${index}`,
    failures: [{ kind: 'truncated' as const, count: 2, message: `cut after ${index} bytes, far too early` }],
  }));
  report.gates = report.cells.map(({ prompt }) =>
    gate({ verdict: 'fail', expression: `ttft.p95{prompt="${prompt}"} < 1ms` }),
  );
  return report;
}
