import { hostname } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isFinal } from '../../model/behaviour.ts';
import { cellKey } from '../../model/cells.ts';
import { UserError } from '../../model/errors.ts';
import type { Block, RunPlan } from '../../model/plan.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { Environment, Manifest, Resumption } from '../../model/report.ts';
import { readRun, readWarnings, type StoredRun } from '../../results/read-run.ts';
import { RECORDS_FILE } from '../../results/run-folder.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import { planScenario, planSummary, unstarted } from '../../scenario/plan.ts';
import { packageVersion } from '../environment.ts';
import { countProgress, missingBlocks } from './missing-blocks.ts';

/** An incomplete run that is continued. */
export interface PastRun {
  folder: string;
  /** As stored. */
  manifest: Manifest;
  /** Its records, in file order. */
  batches: StoredRun['batches'];
  /** Number of records. */
  records: number;
  /** Length of the records file up to the end of the last record. */
  wholeBytes: number;
  /** The number of the next record. */
  nextSeq: number;
  /** The latest mark of its records, where the marks of the next part start. */
  lastMs: number;
  /** Number of the next part, from 1. */
  part: number;
  /** The blocks that are still to be measured. */
  blocks: readonly Block[];
  /** One sentence each. */
  warnings: string[];
}

/**
 * Reads a run to continue it with this scenario. Rejects with a `UserError`: `results_not_found` and `results_invalid` where it
 * cannot be read or is damaged, `usage` where it is complete, still running, or from another scenario or version.
 */
export async function readPast(folder: string, loaded: LoadedScenario): Promise<PastRun> {
  const run = await readRun(folder);
  const { manifest } = run;
  const plan = planScenario(loaded, unstarted(loaded.scenario));
  rejectOther(folder, manifest, loaded, plan);
  rejectRunning(folder, manifest);

  const cells = new Map(plan.cells.map((cell, index) => [cellKey(cell), index]));
  const progress = countProgress();
  let nextSeq = 0;
  let lastMs = 0;
  for await (const batch of run.batches) {
    for (const record of batch) {
      const cell = cells.get(cellKey(record));
      if (cell !== undefined && isFinal(record)) progress.add(record, cell);
      nextSeq = Math.max(nextSeq, record.seq + 1);
      lastMs = Math.max(lastMs, latestOf(record));
    }
  }
  const { records, wholeBytes, unreadableInside, unreadable, cut } = run.found();
  if (unreadableInside > 0) {
    throw new UserError('results_invalid', {
      message: `${join(folder, RECORDS_FILE)} is damaged: ${unreadable.examples[0]}`,
      hint: `streambench report ${folder} reports the readable records, but the run cannot be continued`,
    });
  }
  // A finished run that was limited by time may have fewer records than planned.
  const isDone = !manifest.run.aborted && records >= (manifest.records ?? Number.POSITIVE_INFINITY);
  const blocks = isDone ? [] : missingBlocks(plan.blocks, (block) => progress.of(block));
  // A sweep chooses its next block by its records.
  if (blocks.length === 0 && (isDone || plan.sweep === undefined)) {
    throw new UserError('usage', {
      message: `the run in ${folder} is complete`,
      hint: `streambench report ${folder} shows it`,
    });
  }
  return {
    folder,
    manifest,
    records,
    wholeBytes,
    nextSeq,
    lastMs,
    blocks,
    batches: run.batches,
    part: (manifest.run.resumed?.length ?? 0) + 1,
    warnings: cut === undefined && unreadable.lines === 0 ? [] : readWarnings(run, folder).slice(0, 1),
  };
}

function latestOf({ marks }: RequestRecord): number {
  return Math.max(marks.started, marks.end ?? 0);
}

function rejectOther(folder: string, manifest: Manifest, loaded: LoadedScenario, plan: RunPlan): void {
  const reject = (message: string, hint: string) => {
    throw new UserError('usage', { message: `the run in ${folder} cannot be continued: ${message}`, hint });
  };
  const { environment, scenario, run, cells } = manifest;
  if (manifest.shard !== undefined)
    reject('it is a shard, and the other shards have ended', 'run all shards again');
  if (manifest.machines !== undefined) reject('it was merged from shards', 'run all shards again');
  const version = packageVersion();
  if (environment.streambench !== version) {
    reject(
      `it was written by streambench ${environment.streambench}, and this is ${version}`,
      `use version ${environment.streambench}, or start a new run`,
    );
  }
  if (scenario.hash !== loaded.hash) {
    reject(
      'the scenario has changed (targets, prompts, load or a prompt file)',
      'omit flags that change the scenario, or start a new run',
    );
  }
  const { rounds } = planSummary(plan);
  // Through JSON, as the manifest was stored.
  // The scenario's hash covers a sweep, whose cells are found while it runs.
  const isSamePlan =
    plan.sweep !== undefined || isDeepStrictEqual(cells, JSON.parse(JSON.stringify(plan.cells)));
  if (run.seed !== plan.seed || (manifest.ab?.maxRounds ?? run.rounds) !== rounds || !isSamePlan) {
    reject('its plan differs from that of the scenario now', 'start a new run');
  }
}

/** Two processes must not write to the same run. */
function rejectRunning(folder: string, { process: writer }: Manifest): void {
  if (writer === undefined || writer.host !== hostname() || writer.pid === process.pid) return;
  if (!isAlive(writer.pid)) return;
  throw new UserError('usage', {
    message: `the run in ${folder} is still running in process ${writer.pid}`,
    hint: `wait for its end, or stop it with: kill ${writer.pid}`,
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The manifest of a run that is continued: identity and start of the stored run, state of the new one. */
export function resumedManifest(opening: Manifest, { manifest, records }: PastRun, at: Date): Manifest {
  const { id, startedAt, planned, rounds, unique, resumed = [] } = manifest.run;
  const { salt } = opening.run.unique ?? {};
  const resumption: Resumption = { at: at.toISOString(), after: records, salt };
  return {
    ...opening,
    run: { ...opening.run, id, startedAt, planned, rounds, unique, resumed: [...resumed, resumption] },
    environment: manifest.environment,
    servers: manifest.servers ?? opening.servers,
    floor: opening.floor ?? manifest.floor,
    file: manifest.file,
    cells: manifest.cells,
    ab: manifest.ab,
  };
}

/**
 * The salt of a run, or of the next part of one; undefined where it is random. With the salt of an earlier part its prompts would
 * be repeated and answered from the server's cache.
 */
export function partSalt(salt: string | undefined, past: PastRun | undefined): string | undefined {
  return salt === undefined || past === undefined ? salt : `${salt}.${past.part}`;
}

/** A warning where a run continues on another machine; undefined where it is the same. */
export function otherMachine(then: Environment, now: Environment): string | undefined {
  const inWords = ({ os, arch, cpus, node }: Environment) =>
    `${os} ${arch}, ${cpus.count} × ${cpus.model}, Node ${node}`;
  if (inWords(then) === inWords(now)) return undefined;
  return `the run was started on another machine (${inWords(then)}); it continues on ${inWords(now)}`;
}
