import type { Mode } from '../model/record.ts';
import type { MetricDefinition } from './definitions.ts';
import { contentSpanMs, hiddenReasoning, msPerToken, outputRate } from './formulas.ts';

/** The metrics that count tokens, as part of the table in `definitions.ts`. */

const STREAMING: readonly Mode[] = ['streaming'];

/** How fast content and tokens come. */
export const TOKEN_SPEEDS: readonly MetricDefinition[] = [
  {
    name: 'tpot',
    title: 'time per token',
    unit: 'ms',
    better: 'lower',
    formula: '(lastToken - first visible token) / (visible tokens - those of the first read)',
    note: 'visible: all output tokens but hidden reasoning; a summary of it does not count; none within 1 ms',
    modes: STREAMING,
    values: msPerToken,
  },
  {
    name: 'chunk_rate',
    title: 'chunk/s',
    unit: '1/s',
    better: 'higher',
    formula: '(content events - 1) / (lastToken - firstToken)',
    note: 'none where all content came within 1 ms',
    modes: STREAMING,
    values(record) {
      const span = contentSpanMs(record);
      return span !== null && record.contentEvents > 1 ? ((record.contentEvents - 1) * 1000) / span : null;
    },
  },
  {
    name: 'token_rate',
    title: 'tok/s',
    unit: '1/s',
    better: 'higher',
    formula: '1000 / tpot',
    note: 'what a reader of one stream sees, once it has begun; hidden reasoning is in output_rate',
    modes: STREAMING,
    values(record) {
      const ms = msPerToken(record);
      return ms === null ? null : 1000 / ms;
    },
  },
  {
    name: 'output_rate',
    title: 'output tok/s',
    unit: '1/s',
    better: 'higher',
    formula: 'output tokens / (lastToken - sent)',
    note: "the provider's throughput for one request: all output tokens, hidden reasoning and the wait included",
    values: outputRate,
  },
];

/** How many tokens there were. */
export const TOKEN_COUNTS: readonly MetricDefinition[] = [
  {
    name: 'output_tokens',
    title: 'output tokens',
    unit: 'count',
    better: 'none',
    formula: 'output tokens, reasoning included',
    values: ({ tokens }) => tokens.output,
  },
  {
    name: 'hidden_reasoning',
    title: 'hidden reasoning',
    unit: 'count',
    better: 'none',
    formula: 'reasoning tokens that were not sent as text, or only as a summary',
    note: 'none where the provider does not count reasoning',
    values: hiddenReasoning,
  },
];
