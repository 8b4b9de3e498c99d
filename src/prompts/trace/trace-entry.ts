import { isFinal } from '../../model/behaviour.ts';
import { parseObject } from '../../model/json-object.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { TraceFormat } from '../../model/trace.ts';

/** One request of a trace. */
export interface TraceEntry {
  /** On the clock of the trace, in ms. */
  atMs: number;
  /** 0 where it is not known. */
  inputTokens: number;
  outputTokens: number;
  /** The ids of the prompt's blocks. */
  blocks?: readonly number[];
}

/** Why a line is not a request, and what to do. */
export interface BrokenLine {
  cause: string;
  remedy: string;
}

/** Reads one line. Undefined for a line that is no request: a header, an attempt that was retried. */
export type ReadTraceLine = (text: string, line: number) => TraceEntry | BrokenLine | undefined;

/** Whether a line could not be read. */
export function isBrokenLine(entry: TraceEntry | BrokenLine): entry is BrokenLine {
  return 'cause' in entry;
}

/** A reader for the lines of a format. `blockTokens`: tokens of a block of prefix ids. */
export function traceLines(format: TraceFormat, blockTokens: number): ReadTraceLine {
  switch (format) {
    case 'mooncake':
      return (text) => mooncakeLine(text, blockTokens);
    case 'azure':
      return azureLines();
    case 'streambench':
      return recordLine;
    default:
      return format satisfies never;
  }
}

/** More tokens than any model takes. */
const MAX_TOKENS = 100_000_000;

function broken(cause: string, remedy: string): BrokenLine {
  return { cause, remedy };
}

function lengthProblem(name: string, value: unknown): BrokenLine | undefined {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS)
    return undefined;
  const found = typeof value === 'number' && value < 0 ? 'is negative' : 'is not a number of tokens';
  return broken(
    `${name} ${found}: ${shown(value)}`,
    `correct ${name} to a whole number of at least 0, or remove the line`,
  );
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 60);
}

const MOONCAKE =
  '{"timestamp": 0, "input_length": 1000, "output_length": 100, "hash_ids": [0, 1]}, a JSON object on each line';

/** Mooncake (FAST'25): the time in ms, lengths in tokens, and one id for each block of the prompt. */
function mooncakeLine(text: string, blockTokens: number): TraceEntry | BrokenLine {
  const value = parseObject(text);
  if (value === undefined) return broken('this line is not a JSON object', `the format is ${MOONCAKE}`);
  const { timestamp, input_length: inputTokens, output_length: outputTokens, hash_ids: ids } = value;
  if (typeof timestamp !== 'number' || !(timestamp >= 0)) {
    return broken(`timestamp is not a time in ms: ${shown(timestamp)}`, `the format is ${MOONCAKE}`);
  }
  const problem = lengthProblem('input_length', inputTokens) ?? lengthProblem('output_length', outputTokens);
  if (problem !== undefined) return problem;
  const entry: TraceEntry = {
    atMs: timestamp,
    inputTokens: inputTokens as number,
    outputTokens: outputTokens as number,
  };
  if (ids === undefined) return entry;
  if (!Array.isArray(ids) || !ids.every((id) => Number.isSafeInteger(id))) {
    return broken('hash_ids is not a list of whole numbers', `the format is ${MOONCAKE}`);
  }
  const needed = Math.ceil(entry.inputTokens / blockTokens);
  if (ids.length !== needed) {
    return broken(
      `hash_ids has ${ids.length} ids, but ${entry.inputTokens} tokens are ${needed} blocks of ${blockTokens}`,
      'set load.trace.blockTokens to the block size of the trace, or correct the line',
    );
  }
  return { ...entry, blocks: ids as number[] };
}

const AZURE_COLUMNS = ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'] as const;

/** Azure LLM inference traces (2023 and 2024): CSV with a header. */
function azureLines(): ReadTraceLine {
  let columns: number[] | undefined;
  return (text, line) => {
    const fields = text.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
    if (columns === undefined) {
      const found = AZURE_COLUMNS.map((name) => fields.indexOf(name));
      if (found.includes(-1)) {
        return broken(
          `the header has no ${AZURE_COLUMNS.filter((_, index) => found[index] === -1).join(', ')}`,
          `the first line must be ${AZURE_COLUMNS.join(',')}`,
        );
      }
      columns = found;
      return undefined;
    }
    const [time = '', input = '', output = ''] = columns.map((index) => fields[index]);
    const atMs = timeOf(time);
    if (Number.isNaN(atMs)) {
      return broken(
        `TIMESTAMP is not a time: ${shown(time)}`,
        `write it as 2023-11-16 18:17:03.9799600, or remove line ${line}`,
      );
    }
    const inputTokens = wholeNumber(input);
    const outputTokens = wholeNumber(output);
    const problem =
      lengthProblem('ContextTokens', inputTokens ?? input) ??
      lengthProblem('GeneratedTokens', outputTokens ?? output);
    return problem ?? { atMs, inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0 };
  };
}

function wholeNumber(text: string): number | undefined {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

// Seconds have up to 7 decimals, of which a Date keeps 3. Without a time zone it is UTC, so that no clock change is in it.
function timeOf(text: string): number {
  const [, date, time, fraction = '', zone = ''] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/.exec(text) ?? [];
  if (date === undefined) return Number.NaN;
  return Date.parse(`${date}T${time}${zone === '' ? 'Z' : zone}`) + Number(`0${fraction}`) * 1000;
}

/** A record of a run: the request was due at `marks.scheduled`. */
function recordLine(text: string): TraceEntry | BrokenLine | undefined {
  const record = parseObject(text) as Partial<RequestRecord> | undefined;
  const atMs = record?.marks?.scheduled ?? record?.marks?.started;
  if (record?.schema !== 'streambench/record@1' || typeof atMs !== 'number' || !(atMs >= 0)) {
    return broken('this line is not a record of a run', 'name a run folder, or its records.ndjson');
  }
  // An attempt that was retried arrived with its request.
  if (!isFinal(record)) return undefined;
  const { input, output } = record.tokens ?? {};
  return {
    atMs: record.attempt?.first?.scheduled ?? atMs,
    inputTokens: input ?? 0,
    outputTokens: output ?? 0,
  };
}
