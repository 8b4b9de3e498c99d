import { aggregationsOf, FAMILIES } from '../analysis/quantities.ts';
import { VERDICT_MEANING } from '../analysis/streaming/streaming-verdict.ts';
import { LABELS } from '../analysis/thresholds/threshold-parser.ts';
import { METRICS } from '../metrics/definitions.ts';
import { EXIT_DETAIL, EXIT_MEANING, EXIT_ORDER, type ExitCode } from '../model/errors.ts';
import { wrap } from '../report/text-width.ts';
import { scenarioJsonSchema } from '../scenario/schema/json-schema.ts';
import type { Topic } from './help.ts';

/** The texts of `streambench help TOPIC`. The manual shows the same tables, made from the same data. */

const MAX_WIDTH = 100;
const GAP = 2;

/** The text of a topic, in lines of at most `width` columns. */
export function topicText(topic: Topic, width: number): string {
  const blocks = TEXTS[topic]();
  const columns = Math.min(width, MAX_WIDTH);
  return blocks.map((block) => `${drawn(block, columns)}\n`).join('\n');
}

/** A paragraph, lines that are not wrapped, or rows of a title and a text. */
type Block = string | { lines: readonly string[] } | { rows: readonly (readonly [string, string])[] };

function drawn(block: Block, width: number): string {
  if (typeof block === 'string') return wrap(block, width).join('\n');
  if ('lines' in block) return block.lines.map((line) => `  ${line}`).join('\n');
  const indent = Math.max(...block.rows.map(([title]) => title.length)) + 2 * GAP;
  return block.rows
    .flatMap(([title, text]) =>
      wrap(text, Math.max(20, width - indent)).map((line, index) =>
        `${' '.repeat(GAP)}${(index === 0 ? title : '').padEnd(indent - GAP)}${line}`.trimEnd(),
      ),
    )
    .join('\n');
}

/** Examples of thresholds, each valid. */
export const THRESHOLD_EXAMPLES: readonly string[] = [
  'ttft.p95{target=flash, concurrency=16} < 800ms',
  'errors.rate < 1%',
  'stalls.rate < 5%',
  'token_rate.p50 > 40',
  'goodput.rate > 95%',
  'streaming.verdict == streaming',
  'ttft.p95{target=gateway, vs=direct} < 5ms',
  'server.memory_per_stream{target=gateway} < 20MB',
];

/** Exit code, meaning and details, in the order of the codes. */
export function exitCodeRows(): (readonly [string, string])[] {
  return Object.entries(EXIT_MEANING).map(([code, meaning]) => {
    const detail = EXIT_DETAIL[Number(code) as ExitCode];
    return [code, detail === undefined ? meaning : `${meaning}; ${detail}`] as const;
  });
}

/** Which exit code is used if several apply. */
export function exitCodeOrder(): string {
  return `If several apply to a run, a signal comes first, then ${EXIT_ORDER.slice(0, -1).join(', ')} and ${EXIT_ORDER.at(-1)}.`;
}

const TEXTS: Readonly<Record<Topic, () => readonly Block[]>> = {
  thresholds: () => [
    'A threshold is a limit that decides the exit code: metric.aggregation{labels} operator value. It is checked before anything is sent, holds for every cell that its labels select, and fails if there is no data (exit code 3).',
    {
      lines: [
        '--threshold "ttft.p95 < 800ms"    on the command line',
        'thresholds: [ttft.p95 < 800ms]    in a scenario',
      ],
    },
    'Examples:',
    { lines: THRESHOLD_EXAMPLES },
    {
      rows: [
        ['metrics', `${metricNames().join(', ')} (\`streambench metrics\` has their formulas)`],
        ['aggregations', `${aggregationsOf('ttft').join(', ')}, and any percentile such as p99.9`],
        ['figures', figureNames().join(', ')],
        ['labels', `${LABELS.join(', ')}; = selects, != excludes; vs subtracts the figure of another target`],
        ['operators', '<, <=, >, >=, ==, !='],
        ['units', 'a time needs one (us, ms, s, m, h); shares are 5% or 0.05; sizes are 20MB'],
      ],
    },
    'An objective is a limit for each request, such as "ttft < 500ms": goodput is the share of requests that meet all objectives. See --objective.',
  ],
  'exit-codes': () => [{ rows: exitCodeRows() }, exitCodeOrder()],
  verdicts: () => [
    'A service can generate the whole answer first and then send it in chunks, and a proxy can hold a stream back. The verdict says which of these happened, from the arrival times of the content.',
    {
      rows: Object.entries(VERDICT_MEANING).flatMap(([verdict, { meaning, remedy }]) => [
        [verdict, meaning] as const,
        ['', `-> ${remedy}`] as const,
      ]),
    },
    'The threshold streaming.verdict == streaming fails on all others, and on inconclusive. The evidence is in the report; docs/verdict.md describes it.',
  ],
  scenarios: () => [
    'A scenario is a YAML or JSON file: what is measured, with which requests, under which load, and what must hold. `streambench init` makes one, `streambench validate` checks it, `streambench schema` prints its JSON Schema.',
    { rows: scenarioFields() },
    '${env:NAME} in any text is a variable of the environment. docs/scenarios.md describes every field.',
  ],
};

function metricNames(): string[] {
  return METRICS.map(({ name }) => name);
}

/** The figures that are not aggregations of a metric. */
function figureNames(): string[] {
  const metrics = new Set(metricNames());
  return FAMILIES.filter((family) => !metrics.has(family)).flatMap((family) => {
    const figures = aggregationsOf(family);
    return figures.length === 0 ? [family] : figures.map((figure) => `${family}.${figure}`);
  });
}

function scenarioFields(): (readonly [string, string])[] {
  const { properties = {} } = scenarioJsonSchema() as {
    properties?: Record<string, { description?: string }>;
  };
  return Object.entries(properties).map(([name, { description = '' }]) => [name, description] as const);
}
