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
import { failureOf } from './outcomes.ts';
import { cellsOf, type RequestFacts, recordOf } from './record.ts';
import { firstObject, type Json, type SourceFile } from './source-file.ts';
import type { ImportTool } from './tool.ts';

const TOOL = 'genai-bench';

/** genai-bench: the folder of an experiment, or one of its run files. Each file is a cell; its traffic scenario is the prompt. */
export const genaiBench: ImportTool = {
  name: 'genai-bench',
  title: TOOL,
  remedy:
    'import the files of the experiment folder that are named after scenario and concurrency; genai-bench always writes them',
  recognise(file) {
    const value = firstObject(file);
    if (value === undefined) return undefined;
    if (isObject(value.aggregated_metrics))
      return Array.isArray(value.individual_request_metrics) ? 'requests' : 'aggregates';
    return 'benchmark_version' in value && 'api_backend' in value ? 'aggregates' : undefined;
  },
  read({ requests, aggregates }) {
    const experiment = aggregates
      .map(firstObject)
      .find((value) => value !== undefined && 'benchmark_version' in value);
    const model = experiment && optionalText(experiment, 'api_model_name');
    const runs = requests.map((file) => readFile(file, model ?? TOOL));
    return {
      origin: {
        tool: TOOL,
        version: experiment && optionalText(experiment, 'benchmark_version'),
        definitions: {
          ttft: 'from the call of the HTTP client, connecting included, to the first chunk with content',
          tpot: '(end of the response - first chunk) / (output tokens - 1)',
          total: 'from the call of the HTTP client to the end of the response (e2e latency)',
          output_tokens: 'usage of the server, else counted by the tokenizer; the file does not say which',
        },
        notes: [
          'The files contain no times of day: there is no throughput, no load over time, and the times of a request count from its start.',
          'The files contain no arrival times of chunks: there are no gaps.',
        ],
      },
      cells: cellsOf(runs.map(({ cell }) => cell)),
      records: runs.flatMap(({ cell, facts }) => facts.map((request) => recordOf({ ...request, cell }))),
    };
  },
};

function readFile(file: SourceFile, target: string): { cell: Cell; facts: Omit<RequestFacts, 'cell'>[] } {
  const place: FieldPlace = { file: file.path, tool: TOOL };
  const value = asObject(file.documents[0]?.value, 'the file', place);
  const aggregated = objectAt(value, 'aggregated_metrics', place);
  // Times are in the unit that --metrics-time-unit names.
  const msPerUnit = value._time_unit === 'ms' ? 1 : 1000;
  const requests = listAt(value, 'individual_request_metrics', place).map((one) =>
    asObject(one, 'a request', place),
  );
  return {
    cell: {
      target,
      prompt: optionalText(aggregated, 'scenario') ?? 'imported',
      concurrency: numberAt(aggregated, 'num_concurrency', place),
      mode: 'streaming',
    },
    facts: requests.map((request) => factsOf(request, msPerUnit, place)),
  };
}

function factsOf(request: Json, msPerUnit: number, place: FieldPlace): Omit<RequestFacts, 'cell'> {
  const ms = (name: string) => {
    const time = optionalNumber(request, name, place);
    return time === undefined ? undefined : time * msPerUnit;
  };
  const status = optionalNumber(request, 'error_code', place);
  if (status !== undefined)
    return { outcome: failureOf(optionalText(request, 'error_message') ?? '', status), gapsMs: [] };
  const first = ms('ttft');
  return {
    outcome: first === undefined ? failureOf('no content') : { kind: 'ok' },
    firstTokenMs: first,
    endMs: ms('e2e_latency'),
    outputTokens: optionalNumber(request, 'num_output_tokens', place),
    inputTokens: optionalNumber(request, 'num_input_tokens', place),
  };
}
