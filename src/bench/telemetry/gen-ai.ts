import type { TelemetryCell, TelemetryRun, TelemetrySample } from './sample.ts';

/** The attributes of a request, by OpenTelemetry's semantic conventions for generative AI where these have a name for them. */

/** Attributes of a span or a metric. */
export type Attributes = Record<string, string | number | boolean | string[]>;

/** The conventions' names of providers; a provider that is not listed has its own name. */
const PROVIDERS: Readonly<Record<string, string>> = {
  'azure-openai': 'azure.ai.openai',
  gemini: 'gcp.gemini',
  vertex: 'gcp.vertex_ai',
  bedrock: 'aws.bedrock',
  'bedrock-key': 'aws.bedrock',
  mistral: 'mistral_ai',
  moonshot: 'moonshot_ai',
  xai: 'x_ai',
  'zhipu-jwt': 'zhipu',
};

const OPERATIONS: Readonly<Record<string, string>> = {
  'openai-completions': 'text_completion',
  gemini: 'generate_content',
};

/** What the requests of a cell are called: `chat`, `text_completion` or `generate_content`. */
function operationOf({ endpoint }: TelemetryCell): string {
  return OPERATIONS[endpoint.dialect] ?? 'chat';
}

/** The name of a request's span: operation and model. */
export function spanName(cell: TelemetryCell): string {
  const { model } = cell.endpoint;
  return model === undefined ? operationOf(cell) : `${operationOf(cell)} ${model}`;
}

/** Attributes that all requests of a cell share. */
export function cellAttributes(cell: TelemetryCell, { scenario }: TelemetryRun): Attributes {
  const { endpoint, target, prompt, concurrency, rate, stage, mode, length } = cell;
  return defined({
    'gen_ai.operation.name': operationOf(cell),
    'gen_ai.provider.name': PROVIDERS[endpoint.provider] ?? endpoint.provider,
    'gen_ai.request.model': endpoint.model,
    'server.address': endpoint.host,
    'server.port': endpoint.port,
    'streambench.scenario': scenario,
    'streambench.target': target,
    'streambench.prompt': prompt,
    'streambench.mode': mode,
    'streambench.concurrency': rate === undefined ? concurrency : undefined,
    'streambench.rate': rate,
    'streambench.stage': stage,
    'streambench.length': length,
  });
}

/** Attributes of one request's span, in addition to those of its cell. */
export function spanAttributes(sample: TelemetrySample, run: TelemetryRun): Attributes {
  const { outcome, ttfeMs, ttftMs, finish, inputTokens, outputTokens, status } = sample;
  return defined({
    'streambench.run': run.id,
    'streambench.outcome': outcome,
    'error.type': outcome === 'ok' ? undefined : outcome,
    'http.response.status_code': status,
    'gen_ai.response.finish_reasons': finish === undefined ? undefined : [finish],
    'gen_ai.usage.input_tokens': inputTokens,
    'gen_ai.usage.output_tokens': outputTokens,
    'gen_ai.response.time_to_first_chunk': ttfeMs === null ? undefined : ttfeMs / 1000,
    'streambench.time_to_first_token': ttftMs === null ? undefined : ttftMs / 1000,
    'streambench.content_events': sample.contentEvents,
  });
}

function defined(values: Readonly<Record<string, Attributes[string] | undefined>>): Attributes {
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(values)) if (value !== undefined) attributes[name] = value;
  return attributes;
}
