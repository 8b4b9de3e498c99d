import type { Mode } from '../model/record.ts';
import type { MetricDefinition } from './definitions.ts';
import { chunkRate, hiddenReasoning, msPerToken, outputRate } from './formulas.ts';

/** The metrics that count tokens, as part of the table in `definitions.ts`. */

const STREAMING: readonly Mode[] = ['streaming'];

const OVER_SPAN = { stamp: 'lastToken', overSpan: true, optional: true } as const;

/** Speed of content and tokens. */
export const TOKEN_SPEEDS: readonly MetricDefinition[] = [
  {
    name: 'tpot',
    title: 'time per token',
    unit: 'ms',
    better: 'lower',
    formula: '(lastToken - first visible token) / (visible tokens - those of the first read)',
    note: 'visible: all output tokens except hidden reasoning and its summary; none if the span is under 1 ms',
    modes: STREAMING,
    ...OVER_SPAN,
    values: msPerToken,
  },
  {
    name: 'chunk_rate',
    needs: ['contentEvents'],
    title: 'chunk/s',
    unit: '1/s',
    better: 'higher',
    formula: '(content events - 1) / (lastToken - firstToken)',
    note: 'none if the span is under 1 ms; the span of a stream that was cut as planned ends with the cut',
    modes: STREAMING,
    ...OVER_SPAN,
    values: chunkRate,
  },
  {
    name: 'token_rate',
    title: 'tok/s',
    unit: '1/s',
    better: 'higher',
    formula: '1000 / tpot',
    note: 'the speed that a reader of one stream sees after the first token; output_rate includes hidden reasoning',
    modes: STREAMING,
    ...OVER_SPAN,
    values(record) {
      const ms = msPerToken(record);
      return ms === null ? null : 1000 / ms;
    },
  },
  {
    name: 'output_rate',
    needs: ['lastToken'],
    title: 'output tok/s',
    unit: '1/s',
    better: 'higher',
    formula: 'output tokens / (lastToken - sent)',
    note: "the provider's throughput for one request, including hidden reasoning and the time to the first token",
    values: outputRate,
  },
];

/** Token counts. */
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
    formula: 'reasoning tokens that were not sent, or only as a summary',
    note: 'none if the provider does not count reasoning',
    values: hiddenReasoning,
  },
];
