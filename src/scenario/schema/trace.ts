import { TRACE_FORMATS } from '../../model/trace.ts';
import { choice, mapping, positive, text, whole } from './fields.ts';

/** The block size of the published Mooncake traces. */
const DEFAULT_BLOCK_TOKENS = 512;

/** The parser of a load's `trace`. */
export const traceSchema = mapping({
  file: text().describe(
    "The trace, in this scenario's folder or below it. With format streambench: the folder of a run, or its records.ndjson.",
  ),
  format: choice(TRACE_FORMATS).describe(
    'mooncake: JSON lines with timestamp (ms), input_length, output_length and hash_ids. azure: CSV with TIMESTAMP, ContextTokens and GeneratedTokens. streambench: the records of a run.',
  ),
  speed: positive()
    .default(1)
    .describe('How much faster than recorded requests are sent: 2 halves all intervals. Default: 1.'),
  limit: whole(1).optional().describe('Only this many requests, from the first. Default: all.'),
  blockTokens: whole(1)
    .default(DEFAULT_BLOCK_TOKENS)
    .describe('With hash_ids: tokens of one block. Default: 512.'),
});
