import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { importFiles } from '../../imports/import-files.ts';
import { cellKey } from '../../model/cells.ts';
import { createRedactor } from '../../model/redaction/redactor.ts';
import type { Environment, Manifest } from '../../model/report.ts';
import type { ImportToolName } from '../../model/tool-names.ts';
import { createJournal } from '../../results/journal.ts';
import { runId } from '../../results/run-folder.ts';
import { packageVersion } from '../environment.ts';
import { createRecorder } from './recorder.ts';
import type { RunResult } from './run.ts';

/** Options of an import. */
export interface ImportOptions {
  /** The tool that wrote the files. Default: recognised by their content. */
  from?: ImportToolName;
  /** Name of the run. Runs of one name can be compared. Default: `imported`. */
  name?: string;
  /** Name of the target. Default: the model that the files name, else the tool. */
  target?: string;
  /** The parent of the run's folder. Default: `results`. */
  output?: string;
}

const DEFAULT_STALL_MS = 1_000;

/**
 * Writes the results of another tool as a run. Rejects with a `UserError`: `results_not_found` and `results_invalid` for the files,
 * `output_unwritable` for the folder.
 */
export async function importRun(path: string, options: ImportOptions = {}): Promise<RunResult> {
  const { from, name = 'imported', target, output = 'results' } = options;
  const { run, files, modifiedMs } = await importFiles(path, from);
  const rename = <T extends { target: string }>(one: T): T =>
    target === undefined ? one : { ...one, target };
  const cells = run.cells.map(rename);
  const startedAtMs = run.startedAtMs ?? modifiedMs;
  const order = new Map(cells.map((cell, index) => [cellKey(cell), index]));
  const records = run.records
    .map(rename)
    .sort((a, b) => endOf(a) - endOf(b) || (order.get(cellKey(a)) ?? 0) - (order.get(cellKey(b)) ?? 0));
  // The same files give the same id.
  const drawn = createHash('sha256').update(JSON.stringify(records)).digest().readUInt16BE(0) / 0x10000;
  const startedAt = new Date(startedAtMs);
  const notes =
    run.startedAtMs === undefined
      ? [...run.origin.notes, 'The time of the run is when its file was last written.']
      : run.origin.notes;
  const durationMs = run.durationMs;
  const manifest: Manifest = {
    schema: 'streambench/manifest@1',
    run: {
      id: runId(name, startedAt, () => drawn),
      startedAt: startedAt.toISOString(),
      endedAt: new Date(startedAtMs + (durationMs ?? 0)).toISOString(),
      durationMs,
      aborted: false,
      seed: 0,
      planned: records.length,
      rounds: 1 + records.reduce((last, { round }) => Math.max(last, round), 0),
    },
    environment: unknownMachine(),
    scenario: {
      name,
      hash: createHash('sha256').update(`imported ${name}`).digest('hex'),
      document: {},
    },
    cells,
    stallMs: DEFAULT_STALL_MS,
    thresholds: [],
    // Only names: a path may hold a user's name.
    origin: { ...run.origin, notes, files: files.map((file) => basename(file)) },
  };
  const redactor = createRedactor([]);
  const journal = await createJournal(join(output, manifest.run.id), manifest);
  try {
    const recorder = createRecorder(manifest, { journal, redactor });
    for (const [seq, record] of records.entries()) {
      recorder.add({ schema: 'streambench/record@1', seq, ...record });
      if (seq % WRITE_EVERY === 0) await journal.flushed();
    }
    const { report, failure } = await recorder.finish(manifest);
    return { report, folder: journal.folder, failure };
  } finally {
    await journal.close();
  }
}

const WRITE_EVERY = 500;

function endOf({ marks: { started, end = started } }: { marks: { started: number; end?: number } }): number {
  return end;
}

function unknownMachine(): Environment {
  const unknown = 'not recorded';
  return {
    streambench: packageVersion(),
    node: process.versions.node,
    undici: unknown,
    os: unknown,
    arch: unknown,
    cpus: { model: unknown, count: null },
    memoryBytes: null,
  };
}
