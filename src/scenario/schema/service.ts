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

/** The reference service as a target: how it is set up, and what is asked of it. */

const upstreamSchema = mapping({
  provider: providerName()
    .optional()
    .describe('A provider known by name; simulator is the one that the run starts itself.'),
  url: httpUrl().optional().describe("The API's base URL. Default: the provider's."),
  dialect: dialectName()
    .optional()
    .describe("The wire format that is spoken there. Default: the provider's."),
  model: text()
    .optional()
    .describe("The model's name; for the simulator, the name of a profile. Needed for a real provider."),
  apiKey: apiKey()
    .optional()
    .describe(`The key, best as \${env:NAME}. Default: the provider's usual environment variable.`),
}).superRefine((value: unknown, context) => {
  if (typeof value !== 'object' || value === null) return;
  for (const issue of endpointProblems({ ...upstreamDefaults(value), ...value }, 'the upstream')) {
    context.addIssue({ code: 'custom', params: {}, ...issue });
  }
}, ALWAYS);

/** What an upstream is that names neither provider nor address: the embedded simulator. */
export function upstreamDefaults(upstream: { provider?: unknown; url?: unknown }): { provider?: string } {
  return upstream.provider === undefined && upstream.url === undefined ? { provider: SIMULATOR } : {};
}

/** The parser of a target's `service`. */
export const serviceSchema = mapping({
  endpoint: choice(['conversation', 'agent', 'playground', 'chat'])
    .default('conversation')
    .describe(
      'The endpoint that is measured: a conversation, an agent with its tools, the playground, which stores nothing, or chat.',
    ),
  mode: choice(['real', 'legacy'])
    .default('real')
    .describe('real: each piece as the model makes it. legacy: the answer is generated whole, then cut up.'),
  textBufferSize: whole(0)
    .optional()
    .describe(
      'Characters of text that are gathered before they are sent; for legacy, the size of the pieces.',
    ),
  textDeltaDelay: duration({ zero: true })
    .optional()
    .describe('Pause before every piece of text after the first. Default: none.'),
  emitMetadata: flag().optional().describe('Send metadata events. Default: false.'),
  emitMemoryUpdates: flag().optional().describe('Send memory updates of agents. Default: false.'),
  strategy: choice(['end', 'every-chunk', 'every-n-chars'])
    .default('end')
    .describe('When answers are stored: at their end, with every chunk, or each everyChars characters.'),
  everyChars: whole(1).optional().describe('The characters of every-n-chars. Default: 200.'),
  checkpoint: duration()
    .optional()
    .describe('No text stays unstored for longer than this. Default: no limit.'),
  upstream: upstreamSchema
    .prefault({})
    .describe("The model behind the service. Default: the run's embedded simulator."),
}).superRefine((value: unknown, context) => {
  const { strategy, everyChars } = (value ?? {}) as Record<string, unknown>;
  if (everyChars === undefined || strategy === 'every-n-chars') return;
  const hint = 'give strategy: every-n-chars with it';
  context.addIssue({
    code: 'custom',
    path: ['everyChars'],
    message: 'everyChars is for the strategy every-n-chars',
    params: { hint },
  });
}, ALWAYS);

/** The reference service as a target gives it. */
export type ServiceSettings = z.output<typeof serviceSchema>;

// What the service brings by itself, with what to write instead where there is something.
const OWN: Readonly<Record<string, string>> = {
  url: 'for the model behind it: service.upstream.url',
  path: 'the endpoint decides',
  requestFields: 'the service has its own fields: write extra',
  provider: 'for the model behind it: service.upstream.provider',
  dialect: 'the endpoint decides; for the model behind it: service.upstream.dialect',
  model: 'write service.upstream.model',
  profile: 'write service.upstream.model',
  apiKey: 'for the model behind it: service.upstream.apiKey',
  textPath: 'the endpoint decides',
  body: 'the endpoint decides',
  method: 'the endpoint decides',
  metricsUrl: 'the service has its own',
  http: 'the service speaks HTTP/1.1',
  streamsPerSession: 'the service speaks HTTP/1.1',
  proxy: 'the service is on this machine',
  unix: 'the service is on this machine',
};

/** What of a target's other fields makes no sense beside `service`. */
export function serviceProblems(target: Readonly<Record<string, unknown>>): Contradiction[] {
  return Object.entries(OWN)
    .filter(([key]) => target[key] !== undefined)
    .map(([key, hint]) => ({
      path: [key],
      message: `${key} and service exclude each other`,
      params: { hint },
    }));
}
