import type { Origin } from '../model/origin.ts';
import type { Cell } from '../model/plan.ts';
import type { RequestRecord } from '../model/record.ts';

/** A record without what the writer of the run adds. */
export type ImportedRecord = Omit<RequestRecord, 'schema' | 'seq'>;

/** What a reader found in the files of a tool. */
export interface ImportedRun {
  origin: Omit<Origin, 'files'>;
  /** When the first request was sent, in ms since 1970. Absent: the files do not contain it. */
  startedAtMs?: number;
  /** The time that throughput is divided by, as the tool counts it, in ms. */
  durationMs?: number;
  /** In table order. */
  cells: Cell[];
  /** In any order. */
  records: ImportedRecord[];
}
