import { UserError } from '../model/errors.ts';
import { isObject } from '../model/json-object.ts';
import type { Cell } from '../model/plan.ts';
import {
  asObject,
  type FieldPlace,
  numberAt,
  numbersIn,
  objectAt,
  optionalNumber,
  optionalText,
} from './fields.ts';
import type { ImportedRecord, ImportedRun } from './imported-run.ts';
import { failureOf } from './outcomes.ts';
import { mostInFlight, type RequestFacts, recordOf } from './record.ts';
import { firstObject, type Json, type SourceFile } from './source-file.ts';
import { type ImportTool, onlyFile } from './tool.ts';

const TOOL = 'AIPerf';

// The major version of the aggregate file's schema. The file of requests has no version.
const SCHEMA_VERSION = '1';

/** NVIDIA's AIPerf: `profile_export.jsonl`, and `profile_export_aiperf.json` of the same folder for load and version. */
export const aiperf: ImportTool = {
  name: 'aiperf',
  title: TOOL,
  remedy:
    'import profile_export.jsonl or its folder; AIPerf writes that file with --export-level records, which is its default',
  recognise(file) {
    const value = firstObject(file);
    if (value === undefined) return undefined;
    if (isObject(value.metadata) && isObject(value.metrics) && 'request_start_ns' in value.metadata)
      return 'requests';
    return 'aiperf_version' in value || ('input_config' in value && 'request_latency' in value)
      ? 'aggregates'
      : undefined;
  },
  read({ requests, aggregates }) {
    const file = onlyFile(requests, TOOL);
    return readRun(file, summaryOf(aggregates));
  },
};

interface Summary {
  version?: string;
  model?: string;
  concurrency?: number;
  rate?: number;
  isStreaming?: boolean;
  durationMs?: number;
}

function summaryOf(files: readonly SourceFile[]): Summary {
  const [file] = files;
  const value = file && firstObject(file);
  if (file === undefined || value === undefined) return {};
  const place = { file: file.path, tool: TOOL };
  const schema = optionalText(value, 'schema_version');
  if (schema !== undefined && schema.split('.')[0] !== SCHEMA_VERSION) {
    throw new UserError('results_invalid', {
      message: `schema version ${schema} of AIPerf is unknown; ${SCHEMA_VERSION}.x can be read`,
      place: { file: file.path },
      hint: 'import profile_export.jsonl without this file, or write the files with AIPerf 0.13',
    });
  }
  const config = isObject(value.input_config) ? value.input_config : {};
  const phase = profilingPhase(config);
  const endpoint = isObject(config.endpoint) ? config.endpoint : {};
  // The window that AIPerf divides by, which is longer than its benchmark_duration.
  const [count, rate] = [
    figureIn(value, 'request_count', place),
    figureIn(value, 'request_throughput', place),
  ];
  return {
    version: optionalText(value, 'aiperf_version'),
    model: modelOf(config),
    concurrency: optionalNumber(phase, 'concurrency', place),
    rate: optionalNumber(phase, 'rate', place) ?? optionalNumber(phase, 'request_rate', place),
    isStreaming: typeof endpoint.streaming === 'boolean' ? endpoint.streaming : undefined,
    durationMs: count === undefined || !rate ? undefined : (count * 1000) / rate,
  };
}

/** A figure of the aggregate file. */
function figureIn(value: Json, name: string, place: FieldPlace): number | undefined {
  const figure = value[name];
  return isObject(figure) ? optionalNumber(figure, 'avg', place) : undefined;
}

function profilingPhase({ phases }: Json): Json {
  const found = Array.isArray(phases)
    ? phases.filter(isObject).find(({ kind }) => kind === 'profiling')
    : undefined;
  return found ?? {};
}

function modelOf({ models }: Json): string | undefined {
  const [first] = isObject(models) && Array.isArray(models.items) ? models.items : [];
  return isObject(first) ? optionalText(first, 'name') : undefined;
}

const MS_PER_NS = 1e-6;

function readRun(file: SourceFile, summary: Summary): ImportedRun {
  const lines = file.documents
    .map(({ value, line }) => {
      const place: FieldPlace = { file: file.path, line, tool: TOOL };
      const request = asObject(value, 'this line', place);
      return { request, metadata: objectAt(request, 'metadata', place), place };
    })
    .filter(({ metadata }) => metadata.benchmark_phase !== 'warmup');
  const zeroNs = lines.reduce(
    (first, { metadata, place }) => Math.min(first, numberAt(metadata, 'request_start_ns', place)),
    Number.POSITIVE_INFINITY,
  );
  const requests = lines.map(({ request, metadata, place }) => factsOf(request, metadata, { place, zeroNs }));
  const isStreaming = summary.isStreaming ?? requests.some(({ gapsMs }) => gapsMs !== undefined);
  const cell: Cell = {
    target: summary.model ?? TOOL,
    prompt: 'imported',
    concurrency:
      summary.concurrency ??
      mostInFlight(requests.map(({ sentMs, endMs = sentMs }) => ({ fromMs: sentMs, toMs: endMs }))),
    rate: summary.rate,
    mode: isStreaming ? 'streaming' : 'non-streaming',
  };
  const records = requests.map((facts): ImportedRecord => recordOf({ ...facts, cell }));
  return {
    origin: {
      tool: TOOL,
      version: summary.version,
      definitions: {
        ttft: 'from the call of the HTTP client, connecting included, to the first response with content (text, reasoning or a tool call)',
        gap: 'between responses with content, also of one read (inter chunk latency)',
        tpot: '(request latency - TTFT) / (output tokens - 1) (inter token latency)',
        latency: 'from the call of the HTTP client to the last response with content (request latency)',
        ttfb: 'from the call of the HTTP client to the response headers (request ack)',
        total:
          'from the call of the HTTP client to the end of the response; the request latency that AIPerf prints ends with the last content',
        queue: 'from the credit of the scheduler to the call of the HTTP client',
        output_tokens:
          'output sequence length: usage of the server with --use-server-token-count, else counted by the tokenizer',
      },
      notes: [
        'A success is what AIPerf calls one: an error inside a stream, or a stream without its end, is not recorded as a failure.',
        ...(summary.version === undefined
          ? [
              'profile_export_aiperf.json was not found next to the file: version, model and load are not known, and the concurrency is the most requests in flight at once.',
            ]
          : []),
      ],
    },
    startedAtMs: zeroNs * MS_PER_NS,
    durationMs: summary.durationMs,
    cells: [cell],
    records,
  };
}

type Request = Omit<RequestFacts, 'cell'> & { sentMs: number };

function factsOf(
  request: Json,
  metadata: Json,
  { place, zeroNs }: { place: FieldPlace; zeroNs: number },
): Request {
  const metrics = objectAt(request, 'metrics', place);
  const metric = (name: string) => {
    const found = metrics[name];
    return isObject(found) ? optionalNumber(found, 'value', place) : undefined;
  };
  const since = (ms: number | undefined) => (ms === undefined ? undefined : sentMs + ms);
  const stamp = (name: string) => {
    const found = optionalNumber(metadata, name, place);
    return found === undefined ? undefined : (found - zeroNs) * MS_PER_NS;
  };
  const sentMs = (numberAt(metadata, 'request_start_ns', place) - zeroNs) * MS_PER_NS;
  const endMs = stamp('request_end_ns');
  const chunks = isObject(metrics.inter_chunk_latency)
    ? numbersIn(metrics.inter_chunk_latency.value, 'inter_chunk_latency', place)
    : undefined;
  const tokens = metric('output_sequence_length');
  const reused = metric('http_req_connection_reused');
  const ttft = metric('time_to_first_token');
  return {
    outcome: outcomeOf(request, metadata),
    sentMs,
    dueMs: stamp('credit_issued_ns'),
    headersMs: stamp('request_ack_ns'),
    firstTokenMs: since(ttft),
    firstAnswerMs: since(metric('time_to_first_output_token')),
    lastTokenMs: since(metric('request_latency')),
    // A failed request has the time of its start here.
    endMs: endMs !== undefined && endMs > sentMs ? endMs : undefined,
    gapsMs: chunks ?? (ttft === undefined ? undefined : []),
    chunks: chunks === undefined ? undefined : chunks.length + 1,
    outputTokens: tokens,
    tokenSource: tokens !== undefined && tokens === metric('usage_completion_tokens') ? 'usage' : 'tokenizer',
    inputTokens: metric('usage_prompt_tokens') ?? metric('input_sequence_length'),
    cachedInputTokens: metric('usage_prompt_cache_read_tokens'),
    reasoningTokens: metric('reasoning_token_count'),
    reused: reused === undefined ? undefined : reused > 0,
  };
}

function outcomeOf({ error }: Json, { was_cancelled: cancelled }: Json): RequestFacts['outcome'] {
  if (cancelled === true) return { kind: 'cancelled', message: 'cancelled by AIPerf' };
  if (!isObject(error)) return { kind: 'ok' };
  const status = typeof error.code === 'number' ? error.code : undefined;
  const words = [optionalText(error, 'type'), optionalText(error, 'message')].filter(
    (word) => word !== undefined,
  );
  return failureOf(words.join(': '), status);
}
