import * as z from 'zod';
import { PATH_USES } from '../../model/plan.ts';
import { connectionContradictions, connectionFields } from './connection.ts';
import {
  apiKey,
  type Contradiction,
  CUSTOM,
  dialectName,
  endpointProblems,
  httpUrl,
  providerName,
  SIMULATOR,
} from './endpoint.ts';
import { ALWAYS, choice, mapping, number, text, whole } from './fields.ts';
import { serviceProblems, serviceSchema } from './service.ts';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const A_CURRENCY = 'a currency code of three capital letters, such as EUR';

const A_BODY = 'a JSON object, a text, or @FILE';

const bodySchema = z
  .union([text(A_BODY), z.record(z.string(), z.unknown())], { error: A_BODY })
  .transform((value) => (typeof value === 'string' ? value : JSON.stringify(value)));

/** The parser of one target. */
export const targetSchema = mapping({
  name: text().describe('The name in tables, records and thresholds.'),
  provider: providerName()
    .optional()
    .describe('The provider, which sets URL, dialect and authentication; simulator is the embedded one.'),
  service: serviceSchema
    .optional()
    .describe('The reference service instead of a provider; the run starts it in a separate process.'),
  url: httpUrl()
    .optional()
    .describe("The API's base URL, or the full URL of the endpoint. Default: the provider's."),
  path: choice(PATH_USES)
    .optional()
    .describe(
      "exact: requests go to url as it is. Default: dialect, which adds the dialect's path unless url ends with it.",
    ),
  dialect: dialectName().optional().describe("The API dialect. Default: the provider's."),
  model: text().optional().describe('The model name of the provider.'),
  apiKey: apiKey()
    .optional()
    .describe(`The API key, preferably as \${env:NAME}. Default: the provider's environment variable.`),
  headers: z
    .record(
      z.string().regex(HEADER_NAME, { error: 'the name of a header' }),
      z.string({ error: 'text' }).regex(HEADER_VALUE, { error: 'one line of text' }),
      { error: 'a mapping of header names to texts' },
    )
    .optional()
    .describe('Additional request headers.'),
  maxTokens: whole(1)
    .optional()
    .describe('Limit of the answer length, in tokens; overrides that of the prompt.'),
  requestFields: mapping({
    maxTokens: choice(['max_tokens', 'max_completion_tokens'])
      .optional()
      .describe('The field that limits the answer length.'),
    usage: choice(['stream_options', 'none'])
      .optional()
      .describe('The field that requests token counts in a stream; none sends no such field.'),
  })
    .optional()
    .describe(
      "For the dialects openai-chat and openai-completions: the names of fields that differ between providers. Default: the provider's, else max_tokens and stream_options.",
    ),
  extra: z
    .record(z.string(), z.unknown(), { error: 'a mapping of body fields' })
    .optional()
    .describe(
      'Additional fields of the request body, such as temperature. They are merged into the body at any depth, and null removes a field (JSON Merge Patch).',
    ),
  textPath: text()
    .optional()
    .describe(
      "For the dialects sse and ndjson: path of the text in an event's JSON, such as choices.0.delta.content.",
    ),
  body: bodySchema
    .optional()
    .describe(
      "The request body, instead of the dialect's: a JSON object, a text, or @FILE in this scenario's folder or below it. The placeholders {{prompt}}, {{messages}}, {{maxTokens}}, {{model}}, {{stream}} and {{nonce}} are replaced, also in the query of url.",
    ),
  method: choice(['GET', 'POST'])
    .optional()
    .describe('The HTTP method. Default: that of the dialect. A GET has no body.'),
  price: mapping({
    input: number(0).describe('Input tokens that came from no cache.'),
    output: number(0).describe('Output tokens, hidden reasoning included.'),
    cachedInput: number(0)
      .optional()
      .describe("Input tokens from the provider's prefix cache. Default: as input."),
    currency: z
      .string({ error: A_CURRENCY })
      .regex(/^[A-Z]{3}$/, { error: A_CURRENCY })
      .optional()
      .describe('The currency, as an ISO 4217 code. Default: USD.'),
  })
    .optional()
    .describe(
      'The price of the tokens, in currency units per million tokens (USD unless currency says otherwise). The report then has the cost per request and per 1,000 answers, where the provider reports token counts.',
    ),
  profile: text()
    .optional()
    .describe("For the simulator: the name of a profile. Default: the target's model."),
  metricsUrl: httpUrl()
    .optional()
    .describe(
      "URL of the server's metrics in the Prometheus text format: memory, CPU time and open files of its process; and queue, running requests, KV cache, prefix cache and time to first token of vLLM, SGLang, TGI, llama.cpp and Triton. Read twice a second during the measurement.",
    ),
  ...connectionFields,
})
  .superRefine((value: unknown, context) => {
    for (const issue of contradictions(value)) context.addIssue({ code: 'custom', params: {}, ...issue });
  }, ALWAYS)
  .meta({ anyOf: [{ required: ['provider'] }, { required: ['url'] }, { required: ['service'] }] });

/** A target of a scenario. */
export type ScenarioTarget = z.output<typeof targetSchema>;

// Conflicts between the fields of a target. It may have other problems, so no type is assumed.
function contradictions(value: unknown): Contradiction[] {
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Record<string, unknown>;
  const { provider = CUSTOM, profile, service } = fields;
  const found: Contradiction[] = connectionContradictions(fields);
  if (service !== undefined) return [...found, ...serviceProblems(fields)];
  if (profile !== undefined && provider !== SIMULATOR) {
    found.push({ path: ['profile'], message: 'profile needs provider: simulator' });
  }
  if (fields.path === 'exact' && fields.url === undefined) {
    found.push({
      path: ['path'],
      message: 'path: exact needs url',
      params: { hint: 'add url' },
    });
  }
  return [...found, ...endpointProblems(fields, 'the target')];
}
