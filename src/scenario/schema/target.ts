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
import { ALWAYS, choice, mapping, text, whole } from './fields.ts';
import { serviceProblems, serviceSchema } from './service.ts';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const A_BODY = 'a JSON object, a text, or @FILE';

const bodySchema = z
  .union([text(A_BODY), z.record(z.string(), z.unknown())], { error: A_BODY })
  .transform((value) => (typeof value === 'string' ? value : JSON.stringify(value)));

/** The parser of one target. */
export const targetSchema = mapping({
  name: text().describe('The name in tables, records and thresholds.'),
  provider: providerName()
    .optional()
    .describe(
      'A provider known by name, which brings address, dialect and auth; simulator is the embedded one.',
    ),
  service: serviceSchema
    .optional()
    .describe('The reference service instead of a provider: the run starts it in a process of its own.'),
  url: httpUrl()
    .optional()
    .describe("The API's base URL, or the full URL of the endpoint. Default: the provider's."),
  path: choice(PATH_USES)
    .optional()
    .describe(
      "exact: requests go to url as it is. Default: dialect, which adds the dialect's path where url does not end in it.",
    ),
  dialect: dialectName()
    .optional()
    .describe("The wire format that is spoken there. Default: the provider's."),
  model: text().optional().describe("The model's name, as the provider knows it."),
  apiKey: apiKey()
    .optional()
    .describe(`The key, best as \${env:NAME}. Default: the provider's usual environment variable.`),
  headers: z
    .record(
      z.string().regex(HEADER_NAME, { error: 'the name of a header' }),
      z.string({ error: 'text' }).regex(HEADER_VALUE, { error: 'one line of text' }),
      { error: 'a mapping of header names to texts' },
    )
    .optional()
    .describe('Further request headers.'),
  maxTokens: whole(1)
    .optional()
    .describe("Upper limit of the answer's length in tokens, in place of the prompt's."),
  requestFields: mapping({
    maxTokens: choice(['max_tokens', 'max_completion_tokens'])
      .optional()
      .describe('The field that limits the length of the answer.'),
    usage: choice(['stream_options', 'none'])
      .optional()
      .describe('The field that asks a stream for its token counts; none sends no such field.'),
  })
    .optional()
    .describe(
      "For the dialects openai-chat and openai-completions: which of the fields in which providers differ are sent. Default: the provider's, else max_tokens and stream_options.",
    ),
  extra: z
    .record(z.string(), z.unknown(), { error: 'a mapping of body fields' })
    .optional()
    .describe(
      'Further fields of the request body, such as temperature. Mappings are merged into what is sent anyway, and null removes a field, at any depth (JSON Merge Patch).',
    ),
  textPath: text()
    .optional()
    .describe(
      "For the dialects sse and ndjson: where the text is in an event's JSON (choices.0.delta.content).",
    ),
  body: bodySchema
    .optional()
    .describe(
      "The request body, instead of the one that the dialect would send: a JSON object, a text, or @FILE, in this scenario's folder or below it. {{prompt}}, {{messages}}, {{maxTokens}}, {{model}}, {{stream}} and {{nonce}} stand for what is asked, here and in the query of url.",
    ),
  method: choice(['GET', 'POST'])
    .optional()
    .describe('The method. Default: the dialect decides. A GET has no body.'),
  profile: text()
    .optional()
    .describe("For the simulator: the name of a profile. Default: the target's model."),
  metricsUrl: httpUrl()
    .optional()
    .describe(
      "Where the server's process tells of itself in Prometheus' text format: memory, CPU time, open files. Read twice a second while it is measured.",
    ),
  ...connectionFields,
})
  .superRefine((value: unknown, context) => {
    for (const issue of contradictions(value)) context.addIssue({ code: 'custom', params: {}, ...issue });
  }, ALWAYS)
  .meta({ anyOf: [{ required: ['provider'] }, { required: ['url'] }, { required: ['service'] }] });

/** A target as a scenario gives it. */
export type ScenarioTarget = z.output<typeof targetSchema>;

// What the fields of a target must be together. It is shown targets with problems too, so it trusts no type.
function contradictions(value: unknown): Contradiction[] {
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Record<string, unknown>;
  const { provider = CUSTOM, profile, service } = fields;
  const found: Contradiction[] = connectionContradictions(fields);
  if (service !== undefined) return [...found, ...serviceProblems(fields)];
  if (profile !== undefined && provider !== SIMULATOR) {
    found.push({ path: ['profile'], message: 'a profile is for targets with provider: simulator' });
  }
  if (fields.path === 'exact' && fields.url === undefined) {
    found.push({
      path: ['path'],
      message: 'path: exact needs the url to be sent to',
      params: { hint: 'give url' },
    });
  }
  return [...found, ...endpointProblems(fields, 'the target')];
}
