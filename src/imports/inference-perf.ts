import { isObject } from '../model/json-object.ts';
import type { Cell, LoadLevel } from '../model/plan.ts';
import {
  asObject,
  type FieldPlace,
  listAt,
  numberAt,
  numbersIn,
  objectAt,
  optionalNumber,
  optionalText,
} from './fields.ts';
import type { ImportedRun } from './imported-run.ts';
import { failureOf } from './outcomes.ts';
import { cellsOf, mostInFlight, type RequestFacts, recordOf, smallest } from './record.ts';
import { firstObject, type Json, type SourceFile } from './source-file.ts';
import { type ImportTool, onlyFile } from './tool.ts';

const TOOL = 'inference-perf';

/**
 * inference-perf: `per_request_lifecycle_metrics.json`. With the `stage_N_lifecycle_metrics.json` of the same folder, each load
 * level is a cell.
 */
export const inferencePerf: ImportTool = {
  name: 'inference-perf',
  title: TOOL,
  remedy:
    'repeat the run with report.request_lifecycle.per_request: true in its config file, and import per_request_lifecycle_metrics.json',
  recognise(file) {
    const value = file.documents[0]?.value;
    if (Array.isArray(value)) {
      const [first] = value;
      return isObject(first) && 'start_time' in first && 'end_time' in first && 'error' in first
        ? 'requests'
        : undefined;
    }
    return isObject(value) && isObject(value.load_summary) && isObject(value.successes)
      ? 'aggregates'
      : undefined;
  },
  read({ requests, aggregates }) {
    const file = onlyFile(requests, TOOL);
    return readRun(file, aggregates);
  },
};

type Request = Omit<RequestFacts, 'cell'> & { sentMs: number };

function readRun(file: SourceFile, aggregates: readonly SourceFile[]): ImportedRun {
  const place: FieldPlace = { file: file.path, tool: TOOL };
  const list = file.documents[0]?.value;
  const requests = (Array.isArray(list) ? list : []).map((one) => asObject(one, 'a request', place));
  const zero = smallest(requests.map((request) => numberAt(request, 'start_time', place)));
  const facts = requests
    .map((request) => factsOf(request, { place, zero }))
    .sort((a, b) => a.sentMs - b.sentMs);
  const stages = stagesOf(aggregates, facts.length);
  let from = 0;
  const measured = (stages ?? [{ count: facts.length }]).map(({ count, ...level }) => {
    const own = facts.slice(from, from + count);
    from += count;
    return { cell: cellOf(level, own), facts: own };
  });
  const lastMs = facts.reduce((last, { endMs = 0 }) => Math.max(last, endMs), 0);
  return {
    origin: {
      tool: TOOL,
      definitions: {
        ttft: 'from the start of the request, connecting included, to the first chunk with text',
        gap: 'between tokens; those of one chunk share its time (inter token latency)',
        tpot: '(last token - first token) / (output tokens - 1)',
        latency: 'from the start of the request to the last chunk with text',
        total: 'from the start of the request to the end of the response (request latency)',
        output_tokens: 'counted by the tokenizer',
      },
      notes: [
        'A success is what inference-perf calls one: a stream without its end is not recorded as a failure.',
        'The file contains neither the version of inference-perf, nor the model, nor the time of day.',
        ...(stages === undefined
          ? [
              'stage_N_lifecycle_metrics.json was not found next to the file, or does not fit: all requests are one cell, and its concurrency is the most requests in flight at once.',
            ]
          : []),
      ],
    },
    durationMs: lastMs,
    cells: cellsOf(measured.map(({ cell }) => cell)),
    records: measured.flatMap(({ cell, facts: own }) => own.map((request) => recordOf({ ...request, cell }))),
  };
}

interface Stage extends Partial<LoadLevel> {
  count: number;
}

/** The stages run one after the other. Undefined where their files are absent, or do not add up to the requests. */
function stagesOf(files: readonly SourceFile[], requests: number): Stage[] | undefined {
  const stages = files
    .map((file) => ({ file, number: Number(/stage_(\d+)_/.exec(file.path)?.[1]) }))
    .filter(({ number }) => Number.isInteger(number))
    .sort((a, b) => a.number - b.number)
    .map(({ file }): Stage => {
      const place: FieldPlace = { file: file.path, tool: TOOL };
      const load = objectAt(firstObject(file) ?? {}, 'load_summary', place);
      const concurrency = optionalNumber(load, 'concurrency', place);
      const rate = concurrency === undefined ? optionalNumber(load, 'requested_rate', place) : undefined;
      return { count: numberAt(load, 'count', place), concurrency, rate };
    });
  const counted = stages.reduce((sum, { count }) => sum + count, 0);
  return stages.length > 0 && counted === requests ? stages : undefined;
}

function cellOf({ concurrency, rate }: Partial<LoadLevel>, facts: readonly Request[]): Cell {
  return {
    target: TOOL,
    prompt: 'imported',
    concurrency:
      concurrency ??
      mostInFlight(facts.map(({ sentMs, endMs = sentMs }) => ({ fromMs: sentMs, toMs: endMs }))),
    rate,
    mode: facts.some(({ gapsMs = [] }) => gapsMs.length > 0) ? 'streaming' : 'non-streaming',
  };
}

function factsOf(request: Json, { place, zero }: { place: FieldPlace; zero: number }): Request {
  const at = (seconds: number | undefined) => (seconds === undefined ? undefined : (seconds - zero) * 1000);
  const sentMs = (numberAt(request, 'start_time', place) - zero) * 1000;
  const endMs = at(numberAt(request, 'end_time', place));
  if (isObject(request.error)) {
    const { error } = request;
    const words = [optionalText(error, 'error_type'), optionalText(error, 'error_msg')];
    return {
      outcome: failureOf(words.filter((word) => word !== undefined).join(': ')),
      sentMs,
      endMs,
      gapsMs: [],
    };
  }
  const info = objectAt(request, 'info', place);
  const response = isObject(info.response_metrics) ? info.response_metrics : {};
  const times =
    response.output_token_times === undefined
      ? []
      : numbersIn(listAt(response, 'output_token_times', place), 'output_token_times', place);
  const usage = isObject(response.server_usage) ? response.server_usage : {};
  return {
    outcome: { kind: 'ok' },
    sentMs,
    firstTokenMs: at(times[0]),
    lastTokenMs: at(times.at(-1)),
    endMs,
    gapsMs: times.slice(1).map((time, i) => (time - (times[i] ?? time)) * 1000),
    chunks: Array.isArray(response.chunk_times) ? response.chunk_times.length : undefined,
    outputTokens: optionalNumber(response, 'output_tokens', place),
    tokenSource: 'tokenizer',
    inputTokens: optionalNumber(usage, 'prompt_tokens', place) ?? optionalNumber(info, 'input_tokens', place),
  };
}
