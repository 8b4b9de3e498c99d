import { UserError } from '../model/errors.ts';
import { isObject } from '../model/json-object.ts';
import type { Cell } from '../model/plan.ts';
import {
  asObject,
  type FieldPlace,
  listAt,
  numberAt,
  objectAt,
  optionalNumber,
  optionalText,
} from './fields.ts';
import type { ImportedRun } from './imported-run.ts';
import { failureOf } from './outcomes.ts';
import { cellsOf, mostInFlight, type RequestFacts, recordOf, smallest } from './record.ts';
import { firstObject, type Json, type SourceFile } from './source-file.ts';
import { type ImportTool, onlyFile } from './tool.ts';

const TOOL = 'guidellm';
const REPORT_VERSION = 2;

/** guidellm's JSON report. Each of its benchmarks is a cell. */
export const guidellm: ImportTool = {
  name: 'guidellm',
  title: TOOL,
  remedy:
    'repeat the run with --output kind=json, and without a sample size, so that the report holds every request',
  recognise(file) {
    const value = firstObject(file);
    if (value === undefined || !isObject(value.metadata) || !Array.isArray(value.benchmarks))
      return undefined;
    if (!('guidellm_version' in value.metadata) && !value.benchmarks.some(isGuidellm)) return undefined;
    const hasRequests = value.benchmarks.some(
      (one) => isObject(one) && isObject(one.requests) && Object.values(one.requests).some(isFilled),
    );
    return hasRequests ? 'requests' : 'aggregates';
  },
  read({ requests }) {
    const file = onlyFile(requests, TOOL);
    return readReport(file);
  },
};

function isGuidellm(value: unknown): boolean {
  return isObject(value) && value.type_ === 'generative_benchmark';
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function readReport(file: SourceFile): ImportedRun {
  const place: FieldPlace = { file: file.path, tool: TOOL };
  const report = asObject(file.documents[0]?.value, 'the report', place);
  const metadata = objectAt(report, 'metadata', place);
  if (metadata.version !== REPORT_VERSION) {
    throw new UserError('results_invalid', {
      message: `report version ${JSON.stringify(metadata.version)} of guidellm is unknown; version ${REPORT_VERSION} can be read`,
      place: { file: file.path },
      hint: 'repeat the run with guidellm 0.8',
    });
  }
  const benchmarks = listAt(report, 'benchmarks', place).map((one) => asObject(one, 'a benchmark', place));
  const groups = benchmarks.map((benchmark) => groupsOf(benchmark, place));
  const zero = smallest(groups.flat().flatMap(({ requests }) => requests.map((one) => startOf(one, place))));
  const measured = benchmarks.map((benchmark, i) => {
    const facts = (groups[i] ?? []).flatMap(({ kind, requests }) =>
      requests.map((request) => factsOf(request, kind, { place, zero })),
    );
    return { cell: cellOf(benchmark, facts, place), facts };
  });
  const durations = benchmarks.map((benchmark) => numberAt(benchmark, 'duration', place) * 1000);
  return {
    origin: {
      tool: TOOL,
      version: optionalText(metadata, 'guidellm_version'),
      definitions: {
        ttft: 'from the start of the request, connecting included, to the first chunk with content',
        tpot: '(last chunk with content - first) / (output tokens - 1) (inter token latency)',
        latency: 'from the start of the request to the last chunk with content',
        total: 'from the start of the request to the end of the response (request latency)',
        output_tokens: 'usage of the server, else counted by the tokenizer; the report does not say which',
      },
      notes: [
        'A success is what guidellm calls one: an error inside a stream, or a stream without its end, is not recorded as a failure.',
        'The report contains no arrival times of chunks: there are no gaps.',
      ],
    },
    startedAtMs: zero * 1000,
    durationMs: durations.reduce((sum, ms) => sum + ms, 0),
    cells: cellsOf(measured.map(({ cell }) => cell)),
    records: measured.flatMap(({ cell, facts }) => facts.map((request) => recordOf({ ...request, cell }))),
  };
}

const KINDS = ['successful', 'errored', 'incomplete'] as const;

interface Group {
  kind: (typeof KINDS)[number];
  requests: Json[];
}

function groupsOf(benchmark: Json, place: FieldPlace): Group[] {
  const requests = objectAt(benchmark, 'requests', place);
  return KINDS.map((kind) => ({
    kind,
    requests: listAt(requests, kind, place)
      .map((one) => asObject(one, 'a request', place))
      // One that was never sent has no start.
      .filter((one) => typeof timingsOf(one, place).request_start === 'number'),
  }));
}

function timingsOf(request: Json, place: FieldPlace): Json {
  return objectAt(objectAt(request, 'info', place), 'timings', place);
}

function startOf(request: Json, place: FieldPlace): number {
  return numberAt(timingsOf(request, place), 'request_start', place);
}

function factsOf(
  request: Json,
  kind: Group['kind'],
  { place, zero }: { place: FieldPlace; zero: number },
): Omit<RequestFacts, 'cell'> & { sentMs: number } {
  const timings = timingsOf(request, place);
  const at = (name: string) => {
    const seconds = optionalNumber(timings, name, place);
    return seconds === undefined ? undefined : (seconds - zero) * 1000;
  };
  const { error } = objectAt(request, 'info', place);
  const chunks = optionalNumber(timings, 'token_iterations', place);
  const output = isObject(request.output_metrics) ? request.output_metrics : {};
  const chars = optionalNumber(output, 'text_characters', place);
  const firstTokenMs = at('first_token_iteration');
  const outcome: RequestFacts['outcome'] =
    kind === 'errored'
      ? failureOf(typeof error === 'string' ? error : '')
      : kind === 'incomplete'
        ? { kind: 'cut', message: 'still running when guidellm ended the benchmark' }
        : firstTokenMs === undefined
          ? { kind: 'empty', message: 'a success without a first token' }
          : { kind: 'ok' };
  return {
    outcome,
    sentMs: (startOf(request, place) - zero) * 1000,
    firstTokenMs,
    firstAnswerMs: at('first_output_token_iteration'),
    lastTokenMs: at('last_token_iteration'),
    endMs: at('request_end') ?? at('resolve_end'),
    chunks: chunks === undefined || chunks === 0 ? undefined : chunks,
    chars: chars === undefined ? undefined : { answer: chars, thinking: 0 },
    outputTokens: optionalNumber(request, 'output_tokens', place),
    inputTokens: optionalNumber(request, 'prompt_tokens', place),
    cachedInputTokens: optionalNumber(request, 'cached_tokens', place),
  };
}

function cellOf(
  benchmark: Json,
  facts: readonly { sentMs: number; endMs?: number }[],
  place: FieldPlace,
): Cell {
  const config = objectAt(benchmark, 'config', place);
  const strategy = objectAt(config, 'strategy', place);
  const backend = isObject(config.backend) ? config.backend : {};
  const streams = strategy.type_ === 'synchronous' ? 1 : optionalNumber(strategy, 'streams', place);
  return {
    target: optionalText(backend, 'model') ?? TOOL,
    prompt: 'imported',
    concurrency:
      streams ?? mostInFlight(facts.map(({ sentMs, endMs = sentMs }) => ({ fromMs: sentMs, toMs: endMs }))),
    rate: optionalNumber(strategy, 'rate', place),
    mode: backend.stream === false ? 'non-streaming' : 'streaming',
  };
}
