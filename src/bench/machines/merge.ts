import { join } from 'node:path';
import { maxUtilization } from '../../metrics/load-report.ts';
import { cellKey } from '../../model/cells.ts';
import { UserError } from '../../model/errors.ts';
import type { RequestRecord } from '../../model/record.ts';
import { createRedactor } from '../../model/redaction/redactor.ts';
import type { Report } from '../../model/report.ts';
import { shardInWords } from '../../model/shard.ts';
import type { ShardReport } from '../../model/shard-report.ts';
import { createJournal } from '../../results/journal.ts';
import { readRun, readWarnings, type StoredRun } from '../../results/read-run.ts';
import type { Baseline } from '../run/baseline.ts';
import { createRecorder } from '../run/recorder.ts';
import type { RunResult } from '../run/run.ts';
import { checkShards, type StoredShard } from './check-shards.ts';
import { clockOffsets } from './clock-offsets.ts';
import { mergedId, mergedManifest } from './merged-manifest.ts';
import { createOverlaps } from './overlap.ts';

/** Options of a merge. */
export interface MergeOptions {
  /** The folder of the merged run, which must not exist. Default: its id under `output`. */
  folder?: string;
  /** The parent of the folder, if that is not given. Default: `results`. */
  output?: string;
  /** The baseline of the regression check. Default: none. */
  baseline?: Baseline;
  /** Receives warnings, one sentence each. */
  warning?(message: string): void;
}

/** A merged run. */
export type MergeResult = RunResult;

/**
 * Joins the shards of a run into one run, with all of their records, and decides its gates. The marks of all machines count from
 * the start of the first one, each by its own clock; nothing else is changed. Needs memory for a few records of each shard, and
 * for a report. Rejects with a `UserError`: `results_not_found`, `results_invalid` where the folders do not hold each shard of one
 * run once, `output_unwritable`.
 */
export async function mergeRuns(
  folders: readonly string[],
  options: MergeOptions = {},
): Promise<MergeResult> {
  const { output = 'results', baseline, warning } = options;
  const runs = await readAll(folders);
  const shards = checkShards(runs.map(({ folder, run }) => ({ folder, manifest: run.manifest })));
  const startMs = Math.min(...shards.map(({ manifest }) => Date.parse(manifest.run.startedAt)));
  const parts = shards.map((stored) => {
    const found = runs.find(({ folder }) => folder === stored.folder);
    if (found === undefined) throw new Error(`${stored.folder} was not read`);
    return new Part(stored, found.run, startMs);
  });
  const start = mergedManifest(shards);
  for (const message of baseline?.warnings ?? []) warning?.(message);
  for (const obstacle of baseline?.obstacles(start) ?? [])
    warning?.(`this run is not comparable with baseline "${baseline?.name}": ${obstacle}`);

  const folder = options.folder ?? join(output, mergedId(shards));
  const journal = await createJournal(folder, start);
  try {
    // Each shard has redacted its records and its manifest.
    const recorder = createRecorder(start, { journal, redactor: createRedactor([]), baseline });
    const overlaps = createOverlaps(parts.length);
    const cells = new Map(start.cells.map((cell, index) => [cellKey(cell), index]));
    let seq = 0;
    for await (const { record, part } of inOrderOfEnds(parts)) {
      const { number } = part.stored.shard;
      const merged = recorder.add({ ...record, seq: seq++, shard: number });
      overlaps.add(merged, number, cells.get(cellKey(merged)) ?? 0);
      // A disk that is slower than the reading must not fill the memory.
      if (seq % WRITE_EVERY === 0) await journal.flushed();
    }
    for (const part of parts) for (const message of part.warnings()) warning?.(message);
    const machines = { shards: parts.map((part) => part.report()), leastOverlap: overlaps.least() };
    const { report, failure } = await recorder.finish({
      ...start,
      run: { ...start.run, ...completeness(parts) },
      machines,
    });
    return { report, folder, failure };
  } finally {
    await journal.close();
  }
}

const WRITE_EVERY = 500;

async function readAll(folders: readonly string[]): Promise<{ folder: string; run: StoredRun }[]> {
  const read = await Promise.all(
    folders.map((folder) =>
      readRun(folder).then(
        (run) => ({ folder, run }),
        (error: unknown) => {
          if (error instanceof UserError) return error;
          throw error;
        },
      ),
    ),
  );
  const errors = read.filter((one) => one instanceof UserError);
  const [first] = errors;
  if (first !== undefined)
    throw new UserError(
      first.code,
      errors.flatMap(({ problems }) => problems),
    );
  return read.flatMap((one) => (one instanceof UserError ? [] : [one]));
}

/** Whether the merged run is complete, and why not. */
function completeness(parts: readonly Part[]): Pick<Report['run'], 'aborted' | 'abortReason'> {
  const reasons = parts.flatMap((part) => {
    const reason = part.abortReason();
    return reason === undefined ? [] : [`shard ${shardInWords(part.stored.shard)}: ${reason}`];
  });
  return { aborted: reasons.length > 0, abortReason: reasons.length > 0 ? reasons.join('; ') : undefined };
}

/** One shard while it is read. */
class Part {
  readonly stored: StoredShard;
  private readonly run: StoredRun;
  private readonly shiftMs: number;
  private readonly clock;
  private records = 0;
  private firstStartMs = Number.POSITIVE_INFINITY;

  constructor(stored: StoredShard, run: StoredRun, startMs: number) {
    const startedAtMs = Date.parse(stored.manifest.run.startedAt);
    this.stored = stored;
    this.run = run;
    this.shiftMs = startedAtMs - startMs;
    this.clock = clockOffsets(startedAtMs);
  }

  /** The records, with their marks counted from the start of the merged run. */
  async *read(): AsyncGenerator<RequestRecord> {
    for await (const batch of this.run.batches) {
      for (const record of batch) {
        this.records += 1;
        this.firstStartMs = Math.min(this.firstStartMs, record.marks.started);
        this.clock.add(record);
        yield this.shiftMs === 0 ? record : { ...record, marks: shifted(record.marks, this.shiftMs) };
      }
    }
  }

  warnings(): string[] {
    return readWarnings(this.run, this.stored.folder);
  }

  /** Why the shard is incomplete; undefined where it is complete. */
  abortReason(): string | undefined {
    const { run, records = this.records, process } = this.stored.manifest;
    if (process !== undefined) return `it has not ended (process ${process.pid} on ${process.host})`;
    if (run.aborted) return run.abortReason ?? 'aborted';
    const missing = records - this.records;
    return missing > 0 ? `${missing} of ${records} records are missing` : undefined;
  }

  report(): ShardReport {
    const { manifest, shard } = this.stored;
    const { environment, run, loads = [] } = manifest;
    const { os, arch, cpus } = environment;
    const delays = loads.flatMap(({ threads }) => threads.map(({ delayP99Ms }) => delayP99Ms));
    const isMeasured = loads.some(({ threads }) => threads.length > 0);
    return {
      number: shard.number,
      of: shard.of,
      host: shard.host,
      run: run.id,
      group: shard.group,
      ...{ os, arch, cpus },
      startedAt: run.startedAt,
      shiftMs: this.shiftMs,
      startLateMs: shard.startAt === undefined ? undefined : this.startLateMs(),
      requests: this.records,
      abortReason: this.abortReason(),
      utilization: isMeasured ? rounded(maxUtilization(loads.map(({ threads }) => threads))) : null,
      delayP99Ms: isMeasured ? rounded(Math.max(...delays)) : null,
      clock: this.clock.result(),
      salt: run.unique?.salt,
    };
  }

  private startLateMs(): number | null {
    return Number.isFinite(this.firstStartMs) ? rounded(this.firstStartMs) : null;
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function shifted(marks: RequestRecord['marks'], byMs: number): RequestRecord['marks'] {
  const moved = { ...marks };
  for (const name of Object.keys(moved) as (keyof typeof moved)[]) {
    const mark = moved[name];
    if (mark !== undefined) moved[name] = mark + byMs;
  }
  return moved;
}

interface Head {
  record: RequestRecord;
  endMs: number;
}

/** The records of all parts in the order of their ends, which is the order within each part. */
async function* inOrderOfEnds(parts: readonly Part[]): AsyncGenerator<{ record: RequestRecord; part: Part }> {
  const sources = parts.map((part) => ({ part, records: part.read() }));
  const heads: (Head | undefined)[] = [];
  for (const [index, { records }] of sources.entries()) heads[index] = await headOf(records);
  for (;;) {
    let next = -1;
    for (const [index, head] of heads.entries()) {
      if (head === undefined) continue;
      const best = heads[next];
      if (best === undefined || head.endMs < best.endMs) next = index;
    }
    const [head, source] = [heads[next], sources[next]];
    if (head === undefined || source === undefined) return;
    yield { record: head.record, part: source.part };
    heads[next] = await headOf(source.records);
  }
}

async function headOf(records: AsyncGenerator<RequestRecord>): Promise<Head | undefined> {
  const { done, value } = await records.next();
  if (done) return undefined;
  const { started, end = started } = value.marks;
  return { record: value, endMs: end };
}
