import type { Endpoint } from '../model/endpoint.ts';
import type { Observation } from '../model/record.ts';

// OpenTelemetry's semantic conventions for generative AI, as far as they apply to the client of an endpoint. They are in
// development: https://github.com/open-telemetry/semantic-conventions-genai

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
  'gemini-array': 'generate_content',
};

/** The name of a metric, its unit, its description and the bucket boundaries that the conventions recommend. */
export interface GenAiMetric {
  name: string;
  unit: string;
  description: string;
  buckets: readonly number[];
}

const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKENS = Array.from({ length: 14 }, (_, power) => 4 ** power);
// The chunks of a stream follow each other faster than requests, whose recommended buckets begin at 10 ms.
const CHUNK_SECONDS = [0.001, 0.0025, 0.005, ...SECONDS];

/** The metrics of a client. */
export const GEN_AI_METRICS = {
  duration: {
    name: 'gen_ai.client.operation.duration',
    unit: 's',
    description: 'GenAI operation duration.',
    buckets: SECONDS,
  },
  firstChunk: {
    name: 'gen_ai.client.operation.time_to_first_chunk',
    unit: 's',
    description: 'Time to the first event of the response stream.',
    buckets: SECONDS,
  },
  chunk: {
    name: 'gen_ai.client.operation.time_per_output_chunk',
    unit: 's',
    description: 'Time between content events that arrived in different reads.',
    buckets: CHUNK_SECONDS,
  },
  tokens: {
    name: 'gen_ai.client.token.usage',
    unit: '{token}',
    description: 'Input and output tokens used.',
    buckets: TOKENS,
  },
} as const satisfies Record<string, GenAiMetric>;

/** What the requests to an endpoint are called: `chat`, `text_completion` or `generate_content`. */
function operationOf({ dialect }: Pick<Endpoint, 'dialect'>): string {
  return OPERATIONS[dialect] ?? 'chat';
}

/** The conventions' name of a provider. */
function providerNameOf({ provider }: Pick<Endpoint, 'provider'>): string {
  return PROVIDERS[provider] ?? provider;
}

/** The name of a request's span: operation and model. */
export function spanNameOf(endpoint: Endpoint): string {
  const { model } = endpoint;
  return model === undefined ? operationOf(endpoint) : `${operationOf(endpoint)} ${model}`;
}

/** Attributes of an endpoint. Those that are not known are absent. */
export function endpointAttributes(endpoint: Endpoint): Record<string, string | number> {
  const { model, host, port } = endpoint;
  const attributes: Record<string, string | number> = {
    'gen_ai.operation.name': operationOf(endpoint),
    'gen_ai.provider.name': providerNameOf(endpoint),
  };
  if (model !== undefined) attributes['gen_ai.request.model'] = model;
  if (host !== undefined) attributes['server.address'] = host;
  if (port !== undefined) attributes['server.port'] = port;
  return attributes;
}

/** The marks of a request as events of its span. */
export function spanEvents({ marks }: Pick<Observation, 'marks'>): [name: string, ms: number][] {
  const events: Record<string, number | undefined> = {
    sent: marks.sent,
    headers: marks.headers,
    first_byte: marks.firstByte,
    first_event: marks.firstEvent,
    first_token: marks.firstToken,
    last_token: marks.lastToken,
    end: marks.end,
  };
  return Object.entries(events).filter((event): event is [string, number] => event[1] !== undefined);
}

/** An observation with its endpoint, as `measuredFetch` gives it; of a client of one's own, the endpoint is added. */
export type RecordedObservation = Observation & { endpoint: Endpoint };

/** What the metrics of one observation are. Times in seconds. */
export interface GenAiFigures {
  durationS: number;
  /** The outcome, if the request failed. */
  errorType?: string;
  /** Only of a stream that succeeded. */
  firstChunkS?: number;
  /** Milliseconds. Empty unless the stream succeeded. */
  gapsMs: readonly number[];
  /** Tokens by the provider's count; absent where it gave none. */
  tokens: { input?: number; output?: number };
}

/** The figures of an observation. Undefined for a response that belongs to no API of a model, such as a list of models. */
export function figuresOf(observation: RecordedObservation): GenAiFigures | undefined {
  const { marks, outcome, mode, tokens, gaps, endpoint } = observation;
  if (endpoint.dialect === 'raw') return undefined;
  const durationS = ((marks.end ?? marks.started) - marks.started) / 1000;
  if (outcome.kind !== 'ok') return { durationS, errorType: outcome.kind, gapsMs: [], tokens: {} };
  const { sent, firstEvent } = marks;
  const isTimed = mode === 'streaming' && sent !== undefined && firstEvent !== undefined;
  return {
    durationS,
    firstChunkS: isTimed ? (firstEvent - sent) / 1000 : undefined,
    gapsMs: mode === 'streaming' ? gaps : [],
    tokens: {
      input: tokens.input,
      output: tokens.source === 'chunks' ? undefined : (tokens.output ?? undefined),
    },
  };
}
