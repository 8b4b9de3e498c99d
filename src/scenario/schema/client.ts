import * as z from 'zod';
import type { CancelAfter, ClientBehaviour, RetryCause } from '../../model/behaviour.ts';
import { parseDuration, parseSize, SIZE_PATTERN } from '../size-and-duration.ts';
import type { Contradiction } from './endpoint.ts';
import { ALWAYS, type CheckParams, duration, list, mapping, whole } from './fields.ts';

/** What clients do besides reading an answer as fast as it arrives. */

const A_SHARE = 'a share above 0% and below 100%, such as 10%';
const PERCENT = /^(\d+(?:\.\d+)?)\s?%$/;

/** A share of the requests, parsed to a number between 0 and 1. */
function share() {
  return z
    .string({ error: A_SHARE })
    .refine(
      (value) => {
        const percent = Number(PERCENT.exec(value)?.[1]);
        return percent > 0 && percent < 100;
      },
      { error: A_SHARE },
    )
    .meta({ pattern: PERCENT.source })
    .transform((value) => Number(PERCENT.exec(value)?.[1]) / 100);
}

const AN_END = 'a number of tokens or a time, such as 20 tokens or 500ms';
const TOKENS = /^([1-9]\d{0,8}) tokens?$/;

const cancelAfter = z
  .string({ error: AN_END })
  .transform((value, context): CancelAfter => {
    const tokens = TOKENS.exec(value)?.[1];
    if (tokens !== undefined) return { tokens: Number(tokens) };
    const ms = parseDuration(value);
    if (ms !== undefined && ms > 0) return { ms };
    context.addIssue({ code: 'custom', message: AN_END, params: {} satisfies CheckParams });
    return z.NEVER;
  })
  .describe(
    'When a stream is cancelled: after this many content events (20 tokens), or this long after it was started (500ms).',
  );

const A_RATE = 'a rate such as 2 KB/s';
const RATE = new RegExp(`${SIZE_PATTERN.slice(0, -1).replace('(?:B', '\\s?(?:B')}/s$`);

function bytesPerSecond(text: string): number | undefined {
  return RATE.test(text) ? parseSize(text.slice(0, -2).replace(/\s/, '')) : undefined;
}

const readRate = z
  .string({ error: A_RATE })
  .refine((value) => (bytesPerSecond(value) ?? 0) >= 1, { error: A_RATE })
  .meta({ pattern: RATE.source })
  .transform((value) => bytesPerSecond(value) ?? Number.NaN)
  .describe('How fast a slow reader reads, such as 2 KB/s.');

const A_CAUSE = 'a status from 400 to 599, connect or reset';

const retryCause = z.union(
  [
    z.int({ error: A_CAUSE }).min(400, { error: A_CAUSE }).max(599, { error: A_CAUSE }),
    z.enum(['connect', 'reset'], { error: A_CAUSE }),
  ],
  { error: A_CAUSE },
);

const DEFAULT_CAUSES: RetryCause[] = [429, 503, 'connect'];
const DEFAULT_BACKOFF_MS = 500;
const DEFAULT_MAX_WAIT_MS = 30_000;
const DEFAULT_RESUME_WAIT_MS = 1_000;

const clientFields = mapping({
  cancel: mapping({
    share: share().describe('The share of the streams that are cancelled, such as 10%.'),
    after: cancelAfter,
  })
    .optional()
    .describe('Clients that stop reading: a share of the streams is cancelled by closing the connection.'),
  slowReaders: mapping({
    share: share().describe('The share of the requests that are read slowly, such as 10%.'),
    rate: readRate,
  })
    .optional()
    .describe('Clients that read slowly, so that the server has to wait.'),
  retries: mapping({
    max: whole(1).default(3).describe('The most retries of one request. Default: 3.'),
    on: list(retryCause, `a list of causes, each ${A_CAUSE}`)
      .default(DEFAULT_CAUSES)
      .describe(
        'What is retried: a status; connect (no connection); reset (lost before the response began). An answer that has begun is never requested again. Default: [429, 503, connect].',
      ),
    backoff: duration()
      .optional()
      .describe(
        'Wait before the first retry, where the server sends no Retry-After. It doubles with each retry, and a random part of up to a half is left out. Default: 500ms.',
      ),
    maxWait: duration()
      .optional()
      .describe('The longest wait. A request with a longer Retry-After is not retried. Default: 30s.'),
  })
    .optional()
    .describe('Clients that send a failed request again. Default: none do.'),
  resume: mapping({
    max: whole(1).default(3).describe('The most times that one stream is continued. Default: 3.'),
    wait: duration({ zero: true })
      .optional()
      .describe('Wait before the client connects again, where the stream has no retry field. Default: 1s.'),
  })
    .optional()
    .describe(
      'Clients that continue a broken event stream with Last-Event-ID: for the dialect sse, and for the streams of the reference service.',
    ),
});

/** The parser of a scenario's `client`. */
export const clientSchema = clientFields
  .superRefine((value: unknown, context) => {
    const { cancel, slowReaders } = (value ?? {}) as Record<string, { share?: unknown } | undefined>;
    const [a, b] = [cancel?.share, slowReaders?.share];
    // A share with a problem of its own is not a number.
    if (typeof a !== 'number' || typeof b !== 'number' || a + b < 1) return;
    context.addIssue({
      code: 'custom',
      path: ['slowReaders', 'share'],
      message: 'the shares of cancel and slowReaders add up to 100% or more',
      params: { hint: 'the figures are those of the other requests: leave some' },
    });
  }, ALWAYS)
  .transform(({ cancel, slowReaders, retries, resume }): ClientBehaviour => {
    return {
      cancel,
      slowReaders: slowReaders && { share: slowReaders.share, bytesPerSecond: slowReaders.rate },
      retries: retries && {
        max: retries.max,
        on: retries.on,
        backoffMs: retries.backoff ?? DEFAULT_BACKOFF_MS,
        maxWaitMs: retries.maxWait ?? DEFAULT_MAX_WAIT_MS,
      },
      resume: resume && { max: resume.max, waitMs: resume.wait ?? DEFAULT_RESUME_WAIT_MS },
    };
  });

/** Behaviours that a scenario's modes and targets cannot have. The document may have other problems. */
export function clientProblems(document: unknown): Contradiction[] {
  const { client, modes, targets, prompts } = (document ?? {}) as Record<string, unknown>;
  const { cancel, resume } = (client ?? {}) as { cancel?: { after?: object }; resume?: unknown };
  const countsTokens = typeof cancel?.after === 'object' && 'tokens' in cancel.after;
  const found: Contradiction[] = [];
  if (countsTokens && Array.isArray(modes) && modes.includes('non-streaming')) {
    found.push({
      path: ['client', 'cancel', 'after'],
      message: 'a non-streaming answer cannot be cancelled after a number of tokens',
      params: { hint: 'use a time such as 500ms, or omit non-streaming' },
    });
  }
  const session = Array.isArray(prompts) ? prompts.find(isSession) : undefined;
  if (client !== undefined && session !== undefined) {
    found.push({
      path: ['client'],
      message: `prompt ${JSON.stringify((session as { name?: unknown }).name)} is a session, whose requests cannot be cancelled, read slowly, retried or resumed`,
      params: { hint: 'remove client, or measure sessions in a scenario of their own' },
    });
  }
  if (resume !== undefined && Array.isArray(targets) && !targets.some(isResumable)) {
    found.push({
      path: ['client', 'resume'],
      message: 'no target has streams that can be continued with Last-Event-ID',
      params: { hint: 'resume works with the dialect sse and with targets that have a service' },
    });
  }
  return found;
}

function isSession(prompt: unknown): boolean {
  const { session, turns } = (prompt ?? {}) as { session?: unknown; turns?: unknown };
  return session !== undefined || turns !== undefined;
}

function isResumable(target: unknown): boolean {
  const { dialect, service } = (target ?? {}) as { dialect?: unknown; service?: unknown };
  return service !== undefined || dialect === 'sse';
}
