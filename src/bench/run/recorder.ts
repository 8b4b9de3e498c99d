import type { RunSamples } from '../../analysis/comparison/samples.ts';
import type { SweepEvidence } from '../../analysis/sweep/evidence.ts';
import { isFinal } from '../../model/behaviour.ts';
import type { UserError } from '../../model/errors.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { Redactor } from '../../model/redaction/redactor.ts';
import type { Manifest, Report } from '../../model/report.ts';
import { withBaseline } from '../../report/build.ts';
import { jsonReport } from '../../report/formats/json.ts';
import type { Journal } from '../../results/journal.ts';
import { roundRecord } from '../../results/round-record.ts';
import { countHeld, type TokenCounter, uncountedWarnings } from '../tokenizer.ts';
import type { Baseline } from './baseline.ts';
import { createReportBuilder } from './report-builder.ts';
import type { PastRun } from './resume.ts';

/** Takes each finished request of a run once and passes it to the report, the regression check and the journal. */
export interface RunRecorder {
  /** Adds the records of a run that is continued. */
  replay(past: PastRun): Promise<void>;
  /** Adds a request. Returns the record as stored, or unchanged where its tokens are counted later. */
  add(record: RequestRecord): RequestRecord;
  /** Number of records so far. */
  readonly records: number;
  /** Number of requests so far: records without the attempts that were retried. */
  readonly requests: number;
  /** Counts the tokens of the block's records, while no stream is open. */
  blockEnded(): Promise<void>;
  /** What comparisons need of the records so far. */
  samples(): RunSamples;
  /** Of a sweep: what the records so far show about its levels. */
  readonly sweep?: SweepEvidence;
  /** Stores all records that still wait for their tokens, also after a failed run. Returns warnings. */
  settle(): string[];
  /** Writes the report and the manifest, and closes the journal. Never rejects because of the disk. */
  finish(manifest: Manifest): Promise<RecordedRun>;
}

/** The result of a recorder. */
export interface RecordedRun {
  /** Of all requests, also those that could not be written. */
  report: Report;
  /** Why the run is not completely on disk; absent where it is. */
  failure?: UserError;
}

/** The parts of a recorder. */
export interface RecorderDeps {
  journal: Journal;
  /** Redacts every record and the manifest before they are stored. */
  redactor: Redactor;
  counter?: TokenCounter;
  baseline?: Baseline;
  /** Receives each record of this run as it is stored. */
  stored?(record: RequestRecord): void;
}

/** Creates the recorder of a run; `start` is its manifest at the start. */
export function createRecorder(start: Manifest, deps: RecorderDeps): RunRecorder {
  const { journal, redactor, counter } = deps;
  const builder = createReportBuilder(start);
  const check = deps.baseline?.check(start);
  let records = 0;
  let requests = 0;
  let nextSeq = 0;
  let part = 0;
  const take = (record: RequestRecord) => {
    records += 1;
    if (isFinal(record)) requests += 1;
    builder.add(record);
    check?.add(record);
  };
  const keep = (record: RequestRecord): RequestRecord => {
    const own = part === 0 ? record : { ...record, seq: nextSeq++, part };
    const rounded = redactor.value(roundRecord(own));
    take(rounded);
    journal.append(rounded);
    deps.stored?.(rounded);
    return rounded;
  };
  return {
    async replay(past) {
      for await (const batch of past.batches) for (const record of batch) take(record);
      nextSeq = past.nextSeq;
      part = past.part;
    },
    add(record) {
      if (counter === undefined) return keep(record);
      counter.hold(record);
      return record;
    },
    get records() {
      return records;
    },
    get requests() {
      return requests;
    },
    async blockEnded() {
      if (counter !== undefined) await countHeld(counter, keep);
    },
    samples: () => builder.samples(),
    sweep: builder.sweep,
    settle() {
      counter?.release(keep);
      return uncountedWarnings(counter);
    },
    async finish(manifest) {
      const { unwritten } = await journal.close();
      const run = unwritten === 0 ? manifest.run : { ...manifest.run, unwritten };
      const ended: Manifest = redactor.value({ ...manifest, run, records });
      let report = builder.report(ended);
      if (check !== undefined) {
        ended.baseline = check.result(ended, report.cells);
        report = withBaseline(report, ended.baseline);
      }
      const { failure } = await journal.finish(ended, jsonReport(report));
      return { report, failure };
    },
  };
}
