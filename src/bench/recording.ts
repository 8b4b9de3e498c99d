import type { RequestRecord } from '../model/record.ts';
import type { Manifest, Report } from '../model/report.ts';
import type { Redact } from '../model/secrets.ts';
import { jsonReport } from '../report/json.ts';
import type { Journal } from '../results/journal.ts';
import { roundRecord, withoutSecrets } from '../results/round.ts';
import type { Baseline } from './baseline.ts';
import { createRunFold } from './fold.ts';
import { countHeld, type TokenCounter, uncountedWarnings } from './tokenizer.ts';

/** Where the requests of a run go when they have ended: each once, into the report, the comparison and the journal. */
export interface Recording {
  /** Takes in a request. Returns the record as it is kept, or as it came where its tokens are counted later. */
  add(record: RequestRecord): RequestRecord;
  /** Counts the tokens of what waits for it, while no stream is open. */
  blockEnded(): Promise<void>;
  /** After the last block, also of a run that broke: nothing waits any longer. Returns what the user should know. */
  settle(): string[];
  /** Writes the report and the manifest, and closes the journal. */
  finish(manifest: Manifest): Promise<Report>;
}

/** What a recording needs. */
export interface RecordingDeps {
  journal: Journal;
  /** Hides secrets in the answers' texts, where these are kept. */
  redact: Redact;
  keepText: boolean;
  counter?: TokenCounter;
  baseline?: Baseline;
}

/** Makes the recording of the run that begins with this manifest. */
export function createRecording(start: Manifest, deps: RecordingDeps): Recording {
  const { journal, redact, keepText, counter } = deps;
  const fold = createRunFold(start);
  const comparison = deps.baseline?.against(start);
  let records = 0;
  const keep = (record: RequestRecord): RequestRecord => {
    const rounded = roundRecord(keepText ? withoutSecrets(record, redact) : record);
    records += 1;
    fold.add(rounded);
    comparison?.add(rounded);
    journal.append(rounded);
    return rounded;
  };
  return {
    add(record) {
      if (counter === undefined) return keep(record);
      counter.hold(record);
      return record;
    },
    async blockEnded() {
      if (counter !== undefined) await countHeld(counter, keep);
    },
    settle() {
      counter?.release(keep);
      return uncountedWarnings(counter);
    },
    async finish(manifest) {
      const whole: Manifest = { ...manifest, records };
      if (comparison !== undefined) whole.baseline = comparison.result(whole);
      const report = fold.report(whole);
      await journal.finish(whole, jsonReport(report));
      return report;
    },
  };
}
