/** A folder of `src/`. */
interface Layer {
  /** What it holds, for docs/architecture.md. */
  content: string;
  /** What it may import beside itself. */
  imports: readonly string[];
}

const BELOW_BENCH = [
  'model',
  'wire',
  'prompts',
  'scenario',
  'client',
  'engine',
  'metrics',
  'analysis',
  'report',
  'results',
  'imports',
  'cassettes',
  'simulator',
  'service',
  'embed',
];

/** The layers of `src/`. A folder that is not listed fails test/architecture.test.ts. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  model: { content: 'shared types: events, marks, record, plan, report, errors, clock', imports: [] },
  wire: {
    content:
      'one file per dialect, both directions; framings; providers as rows of data. No clock, no socket',
    imports: ['model'],
  },
  prompts: {
    content: 'what a request sends: datasets, templates, generated texts, mixes, shared prefixes',
    imports: ['model'],
  },
  scenario: {
    content: 'loading, checking (with places in the file), planning; the schema',
    imports: ['model', 'wire', 'prompts', 'cassettes'],
  },
  client: {
    content:
      'the client, the observation of one exchange, one outcome per request; `transport/` is the hot path',
    imports: ['model', 'wire'],
  },
  gateway: {
    content: 'answers in another dialect: encoding, transcoding, gateways, and adapters for servers',
    imports: ['model', 'wire', 'client'],
  },
  engine: {
    content: 'pacers (pure functions), the only load loop, worker threads',
    imports: ['model', 'prompts', 'client'],
  },
  metrics: { content: 'the metric table, histograms, aggregation', imports: ['model'] },
  analysis: {
    content: 'statistics, comparisons, thresholds, the streaming verdict',
    imports: ['model', 'metrics'],
  },
  report: {
    content: 'report in, text out: formats and the terminal view',
    imports: ['model', 'metrics', 'analysis'],
  },
  results: { content: 'the journal of a run on disk, and reading it', imports: ['model'] },
  imports: {
    content: "readers of other tools' result files: files in, records out; one file per tool",
    imports: ['model', 'results'],
  },
  embed: {
    content: 'measures the client library that an application already has; telemetry of observations',
    imports: ['model', 'wire', 'client', 'metrics', 'analysis'],
  },
  cassettes: { content: 'recorded exchanges: the file format, and redaction', imports: ['model', 'wire'] },
  simulator: {
    content:
      'an embedded provider on a seeded script, with a log of what it really sent; the replay of cassettes',
    imports: ['model', 'wire', 'cassettes'],
  },
  service: { content: 'the reference streaming chat service', imports: ['model', 'wire', 'client'] },
  bench: { content: 'composition: scenario in, report out', imports: BELOW_BENCH },
  cli: {
    content: 'commands, progress, colour, exit codes: the only folder that prints',
    imports: [...BELOW_BENCH, 'bench'],
  },
};
