import { cellKey } from '../model/cells.ts';
import type { Cell } from '../model/plan.ts';
import {
  asObject,
  type FieldPlace,
  listAt,
  numbersIn,
  optionalNumber,
  optionalText,
  unexpected,
} from './fields.ts';
import type { ImportedRun } from './imported-run.ts';
import { failureOf } from './outcomes.ts';
import { cellsOf, mostInFlight, type RequestFacts, recordOf, smallest } from './record.ts';
import { firstObject, type Json, type SourceFile } from './source-file.ts';
import type { ImportTool } from './tool.ts';

const TOOL = 'vllm bench serve';

/**
 * `vllm bench serve --save-result --save-detailed`, also with --append-result, and vllm-bench, which writes the same file. Several
 * results of one load level are rounds of one cell.
 */
export const vllm: ImportTool = {
  name: 'vllm',
  title: TOOL,
  remedy: 'repeat the run with --save-result --save-detailed',
  recognise(file) {
    const value = firstObject(file);
    if (value === undefined || !('tokenizer_id' in value) || !('request_throughput' in value))
      return undefined;
    return Array.isArray(value.ttfts) && Array.isArray(value.itls) ? 'requests' : 'aggregates';
  },
  read({ requests }) {
    const results = requests
      .flatMap((file) => resultsOf(file))
      .sort((a, b) => (a.startMs ?? 0) - (b.startMs ?? 0));
    const rounds = new Map<string, number>();
    const [first] = results;
    let pastMs = 0;
    const records = results.flatMap(({ cell, facts, startMs, durationMs = 0 }) => {
      const round = rounds.get(cellKey(cell)) ?? 0;
      rounds.set(cellKey(cell), round + 1);
      // The clocks of different results have nothing in common but the date.
      const dated = startMs === undefined || first?.startMs === undefined ? 0 : startMs - first.startMs;
      const shiftMs = Math.max(pastMs, dated);
      pastMs = shiftMs + durationMs;
      return facts.map((request) => recordOf(shifted({ ...request, cell, round }, shiftMs)));
    });
    const durations = results.map(({ durationMs }) => durationMs);
    return {
      origin: originOf(results),
      startedAtMs: first?.startMs,
      durationMs: durations.includes(undefined)
        ? undefined
        : durations.reduce<number>((sum, ms = 0) => sum + ms, 0),
      cells: cellsOf(results.map(({ cell }) => cell)),
      records,
    };
  },
};

interface Result {
  cell: Cell;
  facts: (Omit<RequestFacts, 'cell'> & { sentMs: number })[];
  durationMs?: number;
  /** When it began, in ms since 1970. */
  startMs?: number;
  isRust: boolean;
}

function originOf(results: readonly Result[]): ImportedRun['origin'] {
  // Only vllm-bench has a list of the failed requests.
  const tool = results.every(({ isRust }) => isRust) ? 'vllm-bench' : TOOL;
  return {
    tool,
    definitions: {
      ttft: 'from the call of the HTTP client, connecting included, to the first chunk with output',
      gap: 'between chunks with output, also of one read (ITL)',
      tpot: '(E2EL - TTFT) / (output tokens - 1)',
      latency: 'from the call of the HTTP client to the last chunk with output (E2EL)',
      total:
        'from the call of the HTTP client to the last chunk with output (E2EL); the end of the response is not recorded',
      output_tokens: 'usage of the server, else counted by the tokenizer; the file does not say which',
    },
    notes: [
      `A success is what ${tool} calls one: an error inside a stream, or a stream without its end, is not recorded as a failure.`,
      `The file does not contain the version of ${tool}.`,
      ...(results.every(({ startMs }) => startMs !== undefined)
        ? []
        : ['The file does not contain when the run was made.']),
    ],
  };
}

function resultsOf(file: SourceFile): Result[] {
  return file.documents.map(({ value, line }) => {
    const place = { file: file.path, line: file.documents.length > 1 ? line : undefined, tool: TOOL };
    return resultOf(asObject(value, 'this line', place), place);
  });
}

const LISTS = ['ttfts', 'itls', 'output_lens', 'input_lens', 'errors', 'start_times'] as const;

function resultOf(value: Json, place: FieldPlace): Result {
  const lists = Object.fromEntries(LISTS.map((name) => [name, listAt(value, name, place)])) as Record<
    (typeof LISTS)[number],
    unknown[]
  >;
  const count = lists.ttfts.length;
  for (const name of LISTS) {
    if (lists[name].length !== count)
      throw unexpected(place, `"${name}" has ${lists[name].length} entries, and "ttfts" ${count}`);
  }
  const numbers = (name: (typeof LISTS)[number]) => numbersIn(lists[name], name, place);
  const [ttfts, starts, outputs, inputs] = [
    numbers('ttfts'),
    numbers('start_times'),
    numbers('output_lens'),
    numbers('input_lens'),
  ];
  const latencies =
    value.latencies === undefined ? undefined : numbersIn(value.latencies, 'latencies', place);
  const queues =
    value.queue_times === undefined ? undefined : numbersIn(value.queue_times, 'queue_times', place);
  const rate = typeof value.request_rate === 'number' ? value.request_rate : undefined;
  const zero = smallest(starts);
  const facts = ttfts.map((ttft, i) => {
    const sentMs = ((starts[i] ?? zero) - zero) * 1000;
    const gapsMs = numbersIn(lists.itls[i], 'itls', place).map((seconds) => seconds * 1000);
    const error = lists.errors[i];
    const isOk = error === '' && (ttft > 0 || (latencies?.[i] ?? 0) > 0);
    if (!isOk) return { outcome: failureOf(String(error ?? '')), sentMs, gapsMs: [] };
    const firstMs = sentMs + ttft * 1000;
    const last = latencies?.[i];
    const queued = queues?.[i];
    return {
      outcome: { kind: 'ok' as const },
      sentMs,
      // In a closed loop, this is the wait for a free slot.
      dueMs: queued === undefined || rate === undefined ? undefined : sentMs - queued * 1000,
      firstTokenMs: firstMs,
      lastTokenMs:
        last === undefined ? firstMs + gapsMs.reduce((sum, gap) => sum + gap, 0) : sentMs + last * 1000,
      gapsMs,
      chunks: gapsMs.length + 1,
      outputTokens: outputs[i],
      inputTokens: inputs[i],
    };
  });
  const seconds = optionalNumber(value, 'duration', place);
  const date = optionalText(value, 'date');
  return {
    cell: {
      target: optionalText(value, 'model_id') ?? TOOL,
      prompt: 'imported',
      concurrency:
        optionalNumber(value, 'max_concurrency', place) ??
        mostInFlight(
          facts.map(({ sentMs, lastTokenMs = sentMs }) => ({ fromMs: sentMs, toMs: lastTokenMs })),
        ),
      rate,
      mode: 'streaming',
    },
    facts,
    durationMs: seconds === undefined ? undefined : seconds * 1000,
    startMs: date === undefined || seconds === undefined ? undefined : timeOf(date) - seconds * 1000,
    isRust: 'failed_requests' in value,
  };
}

/** The date is that of the end of a result: `20261122-014500` in local time, or ISO 8601. */
function timeOf(date: string): number {
  const local = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/.exec(date);
  return Date.parse(local === null ? date : `${local.slice(1, 4).join('-')}T${local.slice(4).join(':')}`);
}

function shifted(facts: RequestFacts, byMs: number): RequestFacts {
  const at = (ms: number | undefined) => (ms === undefined ? undefined : ms + byMs);
  const { sentMs, dueMs, firstTokenMs, lastTokenMs } = facts;
  return {
    ...facts,
    sentMs: at(sentMs),
    dueMs: at(dueMs),
    firstTokenMs: at(firstTokenMs),
    lastTokenMs: at(lastTokenMs),
  };
}
