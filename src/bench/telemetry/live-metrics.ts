import { blockCounts } from '../../engine/counts.ts';
import { Counter, Gauge, Histogram, Registry } from '../../service/prom-client.ts';
import { BucketCounter } from './bucket-counter.ts';
import type { TelemetryCell, TelemetryRun, TelemetrySample } from './sample.ts';

/** The metrics of a run for Prometheus, updated while it runs. Times are in seconds. */
export interface LiveMetrics {
  runStarted(run: TelemetryRun): void;
  /** The measured window of a block opened. `counts`: the memory of its counters. */
  windowOpened(cell: number, counts: SharedArrayBuffer): void;
  samples(samples: readonly TelemetrySample[]): void;
  warmedUp(requests: number): void;
  /** The utilization of each measuring thread, 0 to 1. */
  utilization(threads: readonly number[]): void;
  runEnded(): void;
  text(): Promise<{ contentType: string; body: string }>;
}

const FIRST = [
  ...[0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75],
  ...[1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120],
];
const WHOLE = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600];
const GAP = [
  ...[0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075],
  ...[0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5, 10],
];

/** Cells with labels of their own, over all scenarios. The series of further cells are merged into one with the label `other`. */
const MAX_LABELLED_CELLS = 100;

const CELL = ['scenario', 'target', 'prompt', 'concurrency', 'rate', 'stage', 'mode', 'length'];

type Labels = Record<string, string>;

/** Creates the metrics, in a registry of their own. */
export function createLiveMetrics(maxCells: number = MAX_LABELLED_CELLS): LiveMetrics {
  const register = new Registry();
  const registers = [register];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `streambench_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `streambench_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `streambench_${name}_seconds`, help, labelNames: CELL, buckets, registers });

  const requests = counter('requests_total', 'Measured requests that have ended, by outcome.', [
    ...CELL,
    'outcome',
  ]);
  const offered = counter(
    'requests_offered_total',
    'Measured requests that were due: sent, or dropped because no stream was free.',
    CELL,
  );
  const warmups = counter('warmup_requests_total', 'Unmeasured requests that have ended.');
  const tokens = counter('tokens_total', 'Tokens of successful requests, as the provider counts them.', [
    ...CELL,
    'direction',
  ]);
  const first = histogram(
    'time_to_first_token',
    'Time to first token of successful requests, from sent.',
    FIRST,
  );
  const firstByte = histogram(
    'time_to_first_byte',
    'Time to the response headers of successful requests, from sent.',
    FIRST,
  );
  const whole = histogram('request_duration', 'Time to the end of successful requests, from sent.', WHOLE);
  const gaps = new Map<string, BucketCounter>();
  const inFlight = gauge('requests_in_flight', 'Measured requests in flight.', CELL);
  const level = gauge(
    'load_level',
    'The load level: streams at once, or requests per second with the label rate.',
    CELL,
  );
  const busy = gauge('client_utilization_ratio', 'Utilization of the event loop of each measuring thread.', [
    'thread',
  ]);
  const info = gauge('run_info', '1 for the run that is being measured.', ['run', 'scenario', 'version']);
  processMetrics(registers);

  const labelled = new Set<string>();
  let run: TelemetryRun | undefined;
  let labels: Labels[] = [];
  let open: { cell: number; counts: ReturnType<typeof blockCounts>; counted: number } | undefined;

  const labelsOf = (cell: TelemetryCell, scenario: string): Labels => {
    const { target, prompt, mode, length, concurrency, rate, stage } = cell;
    const load: Labels = rate === undefined ? { concurrency: String(concurrency) } : { rate: String(rate) };
    const own: Labels = { scenario, target, prompt, ...load, mode };
    if (stage !== undefined) own.stage = stage;
    if (length !== undefined) own.length = String(length);
    const key = JSON.stringify(own);
    if (labelled.has(key) || labelled.size < maxCells) {
      labelled.add(key);
      return own;
    }
    return { scenario: 'other', target: 'other', prompt: 'other', mode };
  };
  const gapsOf = (own: Labels): BucketCounter => {
    const key = labelText(own);
    const counter = gaps.get(key) ?? new BucketCounter(GAP);
    gaps.set(key, counter);
    return counter;
  };
  const readCounts = () => {
    if (open === undefined) return;
    const own = labels[open.cell];
    if (own === undefined) return;
    const issued = open.counts.issued();
    offered.inc(own, issued - open.counted);
    open.counted = issued;
    inFlight.set(own, open.counts.inFlight());
  };
  const closeWindow = () => {
    readCounts();
    const own = open === undefined ? undefined : labels[open.cell];
    if (own !== undefined) inFlight.set(own, 0);
    open = undefined;
  };

  return {
    runStarted(started) {
      closeWindow();
      run = started;
      const { id, scenario, version, cells } = started;
      info.reset();
      info.set({ run: id, scenario, version }, 1);
      labels = cells.map((cell) => labelsOf(cell, scenario));
      for (const [index, own] of labels.entries()) {
        const cell = cells[index];
        if (cell === undefined) continue;
        // Series that exist from the start have a rate from the first request on.
        requests.inc({ ...own, outcome: 'ok' }, 0);
        if (cell.rate !== undefined) requests.inc({ ...own, outcome: 'dropped' }, 0);
        offered.inc(own, 0);
        inFlight.set(own, 0);
        level.set(own, cell.rate ?? cell.concurrency);
      }
    },
    windowOpened(cell, counts) {
      closeWindow();
      open = { cell, counts: blockCounts(counts), counted: 0 };
    },
    samples(samples) {
      for (const sample of samples) {
        const own = labels[sample.cell];
        if (own === undefined) continue;
        requests.inc({ ...own, outcome: sample.outcome });
        if (sample.outcome === 'dropped') offered.inc(own);
        if (sample.outcome !== 'ok') continue;
        if (sample.ttfbMs !== null) firstByte.observe(own, sample.ttfbMs / 1000);
        if (sample.ttftMs !== null) first.observe(own, sample.ttftMs / 1000);
        if (sample.totalMs !== null) whole.observe(own, sample.totalMs / 1000);
        gapsOf(own).addAll(sample.gaps, 0.001);
        const { inputTokens, outputTokens } = sample;
        if (inputTokens !== undefined) tokens.inc({ ...own, direction: 'input' }, inputTokens);
        if (outputTokens !== undefined) tokens.inc({ ...own, direction: 'output' }, outputTokens);
      }
    },
    warmedUp: (count) => warmups.inc(count),
    utilization(threads) {
      busy.reset();
      for (const [thread, value] of threads.entries()) busy.set({ thread: String(thread) }, value);
    },
    runEnded() {
      closeWindow();
      busy.reset();
      if (run !== undefined) info.set({ run: run.id, scenario: run.scenario, version: run.version }, 0);
    },
    async text() {
      readCounts();
      const body = `${await register.metrics()}\n${gapText(gaps)}`;
      return { contentType: register.contentType, body };
    },
  };
}

/** CPU time and memory of this process, all threads, under the usual names. */
function processMetrics(registers: Registry[]): void {
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process in seconds.',
    registers,
    collect() {
      this.reset();
      this.inc(cpuSeconds());
    },
  });
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
}

/** Labels as they are written, escaped. */
function labelText(labels: Labels): string {
  const escaped = (value: string) =>
    value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

/** The histogram of the gaps in the text format; by labels as they are written. */
function gapText(gaps: ReadonlyMap<string, BucketCounter>): string {
  const name = 'streambench_token_gap_seconds';
  const lines = [
    `# HELP ${name} Time between content events of successful requests.`,
    `# TYPE ${name} histogram`,
  ];
  for (const [labels, { bounds, counts, sum, count }] of gaps) {
    let below = 0;
    for (const [index, bound] of [...bounds, '+Inf'].entries()) {
      below += counts[index] ?? 0;
      lines.push(`${name}_bucket{${labels},le="${bound}"} ${below}`);
    }
    lines.push(`${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`);
  }
  return `${lines.join('\n')}\n`;
}
