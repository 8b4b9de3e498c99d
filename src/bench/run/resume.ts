import { hostname } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { cellKey } from '../../model/cells.ts';
import { UserError } from '../../model/errors.ts';
import type { Block, RunPlan } from '../../model/plan.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { Environment, Manifest, Resumption } from '../../model/report.ts';
import { readRun, readWarnings, type StoredRun } from '../../results/read-run.ts';
import { RECORDS_FILE } from '../../results/run-folder.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import { planScenario, unstarted } from '../../scenario/plan.ts';
import { packageVersion } from '../environment.ts';
import { countProgress, missingBlocks } from './missing-blocks.ts';

/** A run that ended before it was done, and what it lacks. */
export interface PastRun {
  folder: string;
  /** As the run left it. */
  manifest: Manifest;
  /** Its records, in the order of the file. */
  batches: StoredRun['batches'];
  /** How many there are. */
  records: number;
  /** Length of the part of the records file that holds them. */
  wholeBytes: number;
  /** The number of the next record. */
  nextSeq: number;
  /** The latest mark of its records: marks go on from there. */
  lastMs: number;
  /** Number of the part that is measured next, from 1. */
  part: number;
  /** What is to be measured. */
  blocks: readonly Block[];
  /** What the user should know, a sentence each. */
  warnings: string[];
}

/**
 * Reads a run that is to be continued with this scenario. Rejects with a `UserError`: `results_not_found` and
 * `results_invalid` where it cannot be read or is damaged, `usage` where it is complete, still going on, or was not
 * made of this scenario by this version.
 */
export async function readPast(folder: string, loaded: LoadedScenario): Promise<PastRun> {
  const run = await readRun(folder);
  const { manifest } = run;
  const plan = planScenario(loaded, unstarted(loaded.scenario));
  refuseOther(folder, manifest, loaded, plan);
  refuseRunning(folder, manifest);

  const cells = new Map(plan.cells.map((cell, index) => [cellKey(cell), index]));
  const progress = countProgress();
  let nextSeq = 0;
  let lastMs = 0;
  for await (const batch of run.batches) {
    for (const record of batch) {
      progress.add(record, cells.get(cellKey(record))!);
      nextSeq = Math.max(nextSeq, record.seq + 1);
      lastMs = Math.max(lastMs, latestOf(record));
    }
  }
  const { records, wholeBytes, unreadableInside, unreadable, cut } = run.found();
  if (unreadableInside > 0) {
    throw new UserError('results_invalid', {
      message: `${join(folder, RECORDS_FILE)} is damaged: ${unreadable.examples[0]}`,
      hint: `what can be read can be reported (streambench report ${folder}), but the run cannot be continued`,
    });
  }
  // A run limited by time that came to its end may have fewer records than planned.
  const isDone = !manifest.run.aborted && records >= (manifest.records ?? Number.POSITIVE_INFINITY);
  const blocks = isDone ? [] : missingBlocks(plan.blocks, (block) => progress.of(block));
  if (blocks.length === 0) {
    throw new UserError('usage', {
      message: `the run in ${folder} is complete: nothing is left to be measured`,
      hint: `streambench report ${folder} shows it`,
    });
  }
  return {
    ...{ folder, manifest, records, wholeBytes, nextSeq, lastMs, blocks },
    batches: run.batches,
    part: (manifest.run.resumed?.length ?? 0) + 1,
    warnings: cut === undefined && unreadable.lines === 0 ? [] : readWarnings(run, folder).slice(0, 1),
  };
}

function latestOf({ marks }: RequestRecord): number {
  return Math.max(marks.started, marks.end ?? 0);
}

function refuseOther(folder: string, manifest: Manifest, loaded: LoadedScenario, plan: RunPlan): void {
  const refuse = (message: string, hint: string) => {
    throw new UserError('usage', { message: `the run in ${folder} cannot be continued: ${message}`, hint });
  };
  const { environment, scenario, run, cells } = manifest;
  const version = packageVersion();
  if (environment.streambench !== version) {
    refuse(
      `it was made by streambench ${environment.streambench}, and this is ${version}`,
      `use version ${environment.streambench}, or start a new run`,
    );
  }
  if (scenario.hash !== loaded.hash) {
    refuse(
      'the scenario is another one (targets, prompts, load or a prompt file differ)',
      'continue it without flags that change the scenario, or start a new run',
    );
  }
  const rounds = 1 + Math.max(...plan.blocks.map(({ round }) => round));
  // Through JSON, as the manifest came.
  const isSamePlan = isDeepStrictEqual(cells, JSON.parse(JSON.stringify(plan.cells)));
  if (run.seed !== plan.seed || run.rounds !== rounds || !isSamePlan) {
    refuse('its plan differs from what this scenario gives now', 'start a new run');
  }
}

/** Two processes must not write one run. */
function refuseRunning(folder: string, { process: writer }: Manifest): void {
  if (writer === undefined || writer.host !== hostname() || writer.pid === process.pid) return;
  if (!isAlive(writer.pid)) return;
  throw new UserError('usage', {
    message: `the run in ${folder} is still going on in process ${writer.pid}`,
    hint: `wait for it, or end it with: kill ${writer.pid}`,
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

/** The manifest of a run as it is continued: it began when it began, and has not come to its end. */
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
  };
}

/**
 * What the nonces of a run, or of the next part of one, are drawn from; undefined where that is left to chance. A part that
 * drew from the salt of the one before would send its prompts again, and find them in the server's cache.
 */
export function partSalt(salt: string | undefined, past: PastRun | undefined): string | undefined {
  return salt === undefined || past === undefined ? salt : `${salt}.${past.part}`;
}

/** What differs between the machine that a run began on and this one; undefined where nothing does. */
export function otherMachine(then: Environment, now: Environment): string | undefined {
  const words = ({ os, arch, cpus, node }: Environment) =>
    `${os} ${arch}, ${cpus.count} × ${cpus.model}, Node ${node}`;
  if (words(then) === words(now)) return undefined;
  return `this run began on another machine (${words(then)}) than it is continued on (${words(now)})`;
}
