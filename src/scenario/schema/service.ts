import type * as z from 'zod';
import {
  apiKey,
  type Contradiction,
  dialectName,
  endpointProblems,
  httpUrl,
  providerName,
  SIMULATOR,
} from './endpoint.ts';
import { ALWAYS, choice, duration, flag, mapping, text, whole } from './fields.ts';

/** The reference service as a target: its settings and its requests. */

const upstreamSchema = mapping({
  provider: providerName()
    .optional()
    .describe('The provider; simulator is the embedded one, which the run starts.'),
  url: httpUrl().optional().describe("The API's base URL. Default: the provider's."),
  dialect: dialectName().optional().describe("The API dialect. Default: the provider's."),
  model: text()
    .optional()
    .describe('The model name; for the simulator, the name of a profile. Required for a real provider.'),
  apiKey: apiKey()
    .optional()
    .describe(`The API key, preferably as \${env:NAME}. Default: the provider's environment variable.`),
}).superRefine((value: unknown, context) => {
  if (typeof value !== 'object' || value === null) return;
  for (const issue of endpointProblems({ ...upstreamDefaults(value), ...value }, 'the upstream')) {
    context.addIssue({ code: 'custom', params: {}, ...issue });
  }
}, ALWAYS);

/** An upstream without provider and URL is the embedded simulator. */
export function upstreamDefaults(upstream: { provider?: unknown; url?: unknown }): { provider?: string } {
  return upstream.provider === undefined && upstream.url === undefined ? { provider: SIMULATOR } : {};
}

/** A batch without settings. */
export const DEFAULT_BATCH = { prompts: 8, concurrency: 4 };

/** The parser of a target's `service`. */
export const serviceSchema = mapping({
  endpoint: choice(['conversation', 'agent', 'playground', 'chat', 'batch'])
    .default('conversation')
    .describe(
      'The endpoint to measure: conversation, agent (with tools), playground (stores nothing), chat, or batch (several prompts in one stream).',
    ),
  batch: mapping({
    prompts: whole(1, 100)
      .default(DEFAULT_BATCH.prompts)
      .describe('Prompts of one request: the prompt, numbered.'),
    concurrency: whole(1, 16)
      .default(DEFAULT_BATCH.concurrency)
      .describe('Prompts that are answered at the same time.'),
  })
    .optional()
    .describe('With endpoint: batch, what a request contains.'),
  mode: choice(['real', 'legacy'])
    .default('real')
    .describe(
      'real: each piece is sent as the model generates it. legacy: the answer is generated first, then sent in pieces.',
    ),
  textBufferSize: whole(0)
    .optional()
    .describe('Characters to buffer before sending; for legacy, the size of the pieces.'),
  textDeltaDelay: duration({ zero: true })
    .optional()
    .describe('Least time between two pieces of text. Default: none.'),
  emitMetadata: flag().optional().describe('Send metadata events. Default: false.'),
  emitMemoryUpdates: flag().optional().describe('Send memory updates of agents. Default: false.'),
  strategy: choice(['end', 'every-chunk', 'every-n-chars'])
    .default('end')
    .describe('When answers are stored: at the end, with every chunk, or every everyChars characters.'),
  everyChars: whole(1)
    .optional()
    .describe('With every-n-chars: characters between two writes. Default: 200.'),
  checkpoint: duration().optional().describe('Longest time that text stays unwritten. Default: no limit.'),
  answerCache: duration()
    .optional()
    .describe('How long a complete answer is sent again for an identical request. Default: no cache.'),
  connectionLimit: duration()
    .optional()
    .describe(
      'How long one connection of a stream lasts: it is then cut, as by a proxy with such a limit. Default: no limit.',
    ),
  upstream: upstreamSchema
    .prefault({})
    .describe("The model behind the service. Default: the run's embedded simulator."),
}).superRefine((value: unknown, context) => {
  const { strategy, everyChars, endpoint, batch } = (value ?? {}) as Record<string, unknown>;
  if (batch !== undefined && endpoint !== 'batch') {
    const hint = 'add endpoint: batch';
    const message = 'batch needs endpoint: batch';
    context.addIssue({ code: 'custom', path: ['batch'], message, params: { hint } });
  }
  if (everyChars === undefined || strategy === 'every-n-chars') return;
  const hint = 'add strategy: every-n-chars';
  context.addIssue({
    code: 'custom',
    path: ['everyChars'],
    message: 'everyChars needs strategy: every-n-chars',
    params: { hint },
  });
}, ALWAYS);

/** The settings of the reference service in a target. */
export type ServiceSettings = z.output<typeof serviceSchema>;

// Fields that the service sets itself, with a hint for each.
const OWN: Readonly<Record<string, string>> = {
  url: 'for the model behind it: service.upstream.url',
  path: 'the endpoint sets it',
  requestFields: 'the service has its own fields: use extra',
  provider: 'for the model behind it: service.upstream.provider',
  dialect: 'the endpoint sets it; for the model behind it: service.upstream.dialect',
  model: 'use service.upstream.model',
  profile: 'use service.upstream.model',
  apiKey: 'for the model behind it: service.upstream.apiKey',
  textPath: 'the endpoint sets it',
  body: 'the endpoint sets it',
  method: 'the endpoint sets it',
  metricsUrl: 'the service has its own',
  http: 'the service uses HTTP/1.1',
  streamsPerSession: 'the service uses HTTP/1.1',
  proxy: 'the service is on this machine',
  unix: 'the service is on this machine',
};

/** The fields of a target that cannot be combined with `service`. */
export function serviceProblems(target: Readonly<Record<string, unknown>>): Contradiction[] {
  return Object.entries(OWN)
    .filter(([key]) => target[key] !== undefined)
    .map(([key, hint]) => ({
      path: [key],
      message: `${key} cannot be combined with service`,
      params: { hint },
    }));
}
