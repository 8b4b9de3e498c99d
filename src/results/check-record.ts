import { isObject } from '../model/json-object.ts';
import { OUTCOME_KINDS, type OutcomeKind, type RequestRecord } from '../model/record.ts';
import { MARK_ORDER, type MarkName } from '../model/timeline.ts';
import { RECORD_SCHEMA } from './run-folder.ts';

/** A checked line of a records file: a record, or why it is invalid. */
export type CheckedLine = { record: RequestRecord } | { wrong: string };

/** Checks one line of a records file. */
export function checkLine(text: string): CheckedLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { wrong: text.startsWith('\0') ? 'this line holds zero bytes' : 'this line is not a JSON object' };
  }
  if (!isObject(value)) return { wrong: 'this line is not a JSON object' };
  if (value.schema !== RECORD_SCHEMA) {
    const theirs = typeof value.schema === 'string' ? `"${value.schema}"` : 'no schema';
    return { wrong: `written with ${theirs}, but this streambench reads "${RECORD_SCHEMA}"` };
  }
  const field = wrongField(value);
  if (field !== undefined) return { wrong: `this record has no valid "${field}"` };
  const marks = wrongMarks(value.marks as Record<string, unknown>);
  if (marks !== undefined) return { wrong: marks };
  return { record: value as unknown as RequestRecord };
}

/** The first invalid field among those that the report needs. */
function wrongField(record: Record<string, unknown>): string | undefined {
  const { seq, target, prompt, concurrency, rate, mode, round, outcome, marks, gaps, tokens } = record;
  if (!isCount(seq)) return 'seq';
  if (typeof target !== 'string') return 'target';
  if (typeof prompt !== 'string') return 'prompt';
  if (typeof concurrency !== 'number') return 'concurrency';
  if (rate !== undefined && typeof rate !== 'number') return 'rate';
  if (!isCount(round)) return 'round';
  if (record.stage !== undefined && typeof record.stage !== 'string') return 'stage';
  if (record.part !== undefined && !isCount(record.part)) return 'part';
  if (record.shard !== undefined && !isCount(record.shard)) return 'shard';
  if (mode !== 'streaming' && mode !== 'non-streaming') return 'mode';
  if (!isObject(outcome) || !OUTCOME_KINDS.includes(outcome.kind as OutcomeKind)) return 'outcome';
  if (!isObject(marks)) return 'marks';
  if (!Array.isArray(gaps) || !gaps.every(isTime)) return 'gaps';
  if (record.chunks !== undefined && !isChunks(record.chunks)) return 'chunks';
  if (!isObject(tokens) || (tokens.output !== null && !isTime(tokens.output))) return 'tokens';
  for (const name of COUNTS) if (!isCount(record[name])) return name;
  return undefined;
}

const COUNTS = ['contentEvents', 'coalesced', 'bytes', 'reads', 'events'] as const;

/** A connection may be opened before the run's clock starts. */
const OF_CONNECTION: ReadonlySet<MarkName> = new Set(['connectStart', 'dns', 'tcp', 'tls']);

/** Marks in their order in every request that has them. */
const IN_ORDER = ['headers', 'firstByte', 'firstEvent', 'firstToken', 'lastToken'] as const;

// For rounding, and because the client learns late that its request was written.
const TOLERANCE_MS = 1;

/** Why a record's marks are invalid; undefined where they are valid. */
function wrongMarks(marks: Record<string, unknown>): string | undefined {
  for (const name of MARK_ORDER) {
    const at = marks[name];
    if (at === undefined && name !== 'scheduled' && name !== 'started') continue;
    if (typeof at !== 'number') return `the mark "${name}" is not a number`;
    if (at < 0 && !OF_CONNECTION.has(name)) return `the mark "${name}" is negative`;
  }
  const { scheduled, started, sent, firstAnswer, end } = marks as Record<MarkName, number | undefined>;
  const late = (before: number | undefined, after: number | undefined) =>
    before !== undefined && after !== undefined && before > after + TOLERANCE_MS;
  if (late(scheduled, started)) return 'its marks are out of order: "started" before "scheduled"';
  let last: MarkName = 'started';
  for (const name of IN_ORDER) {
    if (marks[name] === undefined) continue;
    if (late(marks[last] as number, marks[name] as number)) return outOfOrder(name, last);
    last = name;
  }
  if (late(started, sent)) return outOfOrder('sent', 'started');
  if (late(marks[last] as number, end)) return outOfOrder('end', last);
  if (late(sent, end)) return outOfOrder('end', 'sent');
  if (late(firstAnswer, end)) return outOfOrder('end', 'firstAnswer');
  return undefined;
}

function outOfOrder(first: MarkName, second: MarkName): string {
  return `its marks are out of order: "${first}" before "${second}"`;
}

function isChunks(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { deltasUs, kinds } = value;
  return Array.isArray(deltasUs) && deltasUs.every(Number.isSafeInteger) && Array.isArray(kinds);
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && Number.isInteger(value);
}
