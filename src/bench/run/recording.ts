import type { UserError } from '../../model/errors.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { Redactor } from '../../model/redaction/redactor.ts';
import type { Manifest, Report } from '../../model/report.ts';
import { jsonReport } from '../../report/formats/json.ts';
import type { Journal } from '../../results/journal.ts';
import { roundRecord } from '../../results/round-record.ts';
import { countHeld, type TokenCounter, uncountedWarnings } from '../tokenizer.ts';
import type { Baseline } from './baseline.ts';
import type { PastRun } from './resume.ts';
import { createRunFold } from './run-fold.ts';

/** Where the requests of a run go when they have ended: each once, into the report, the comparison and the journal. */
export interface Recording {
  /** Takes in the records that the run had before it was continued. */
  replay(past: PastRun): Promise<void>;
  /** Takes in a request. Returns the record as it is kept, or as it came where its tokens are counted later. */
  add(record: RequestRecord): RequestRecord;
  /** How many there are. */
  readonly records: number;
  /** Counts the tokens of what waits for it, while no stream is open. */
  blockEnded(): Promise<void>;
  /** After the last block, also of a run that broke: nothing waits any longer. Returns what the user should know. */
  settle(): string[];
  /** Writes the report and the manifest, and closes the journal. Never rejects because of the disk. */
  finish(manifest: Manifest): Promise<Recorded>;
}

/** What a recording came to. */
export interface Recorded {
  /** Of all requests, whether or not they could be written. */
  report: Report;
  /** Why something of the run is not on disk; absent where all is. */
  failure?: UserError;
}

/** What a recording needs. */
export interface RecordingDeps {
  journal: Journal;
  /** Every record and the manifest pass through it: nothing that is kept holds a secret. */
  redactor: Redactor;
  counter?: TokenCounter;
  baseline?: Baseline;
}

/** Makes the recording of the run that begins with this manifest. */
export function createRecording(start: Manifest, deps: RecordingDeps): Recording {
  const { journal, redactor, counter } = deps;
  const fold = createRunFold(start);
  const check = deps.baseline?.check(start);
  let records = 0;
  let nextSeq = 0;
  let part = 0;
  const take = (record: RequestRecord) => {
    records += 1;
    fold.add(record);
    check?.add(record);
  };
  const keep = (record: RequestRecord): RequestRecord => {
    const own = part === 0 ? record : { ...record, seq: nextSeq++, part };
    const rounded = redactor.value(roundRecord(own));
    take(rounded);
    journal.append(rounded);
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
    async blockEnded() {
      if (counter !== undefined) await countHeld(counter, keep);
    },
    settle() {
      counter?.release(keep);
      return uncountedWarnings(counter);
    },
    async finish(manifest) {
      const { unwritten } = await journal.close();
      const run = unwritten === 0 ? manifest.run : { ...manifest.run, unwritten };
      const whole: Manifest = redactor.value({ ...manifest, run, records });
      if (check !== undefined) whole.baseline = check.result(whole);
      const report = fold.report(whole);
      const { failure } = await journal.finish(whole, jsonReport(report));
      return { report, failure };
    },
  };
}
