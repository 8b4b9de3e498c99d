import * as z from 'zod';
import { formatSizeLimit } from '../../model/format.ts';
import { DEFAULT_LIMITS, type Limits, MAX_LIMIT_BYTES } from '../../model/plan.ts';
import { parseSize, SIZE_PATTERN } from '../size-and-duration.ts';
import { mapping } from './fields.ts';

const A_SIZE = 'a size such as 64KB, 16MB or 16MiB';

/** A size; parsed to bytes. */
function size(most: number) {
  const limits = `a size of more than 0 and at most ${formatSizeLimit(most)}`;
  return z
    .string({ error: A_SIZE })
    .refine(
      (value) => {
        const bytes = parseSize(value);
        return bytes !== undefined && bytes > 0 && bytes <= most;
      },
      { error: ({ input }) => (parseSize(String(input)) === undefined ? A_SIZE : limits) },
    )
    .meta({ pattern: SIZE_PATTERN })
    .transform((value) => parseSize(value) ?? Number.NaN);
}

// As a scenario writes it, without the space.
const written = (bytes: number) => formatSizeLimit(bytes).replace(' ', '');
const { eventBytes, bodyBytes, headerBytes } = DEFAULT_LIMITS;

/** The parser of the fields of `limits`. */
export const limitsFields = mapping({
  event: size(MAX_LIMIT_BYTES)
    .optional()
    .describe(
      `Maximum size of one event or line of a stream. Default: ${written(eventBytes)}. JSON that is nested deeper than 512 levels is malformed.`,
    ),
  body: size(MAX_LIMIT_BYTES)
    .optional()
    .describe(`Maximum size of a non-streaming answer. Default: ${written(bodyBytes)}.`),
  stream: size(2 ** 50)
    .optional()
    .describe('Maximum size of a whole stream. Default: no limit; timeouts.total ends it.'),
  headers: size(MAX_LIMIT_BYTES)
    .optional()
    .describe(`Maximum size of the response headers. Default: ${written(headerBytes)}.`),
});

/** The parser of `limits`. */
export const limitsSchema = limitsFields.transform(
  ({ event, body, stream, headers }): Partial<Limits> => ({
    eventBytes: event,
    bodyBytes: body,
    streamBytes: stream,
    headerBytes: headers,
  }),
);
