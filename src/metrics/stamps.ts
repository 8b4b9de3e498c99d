import type { RequestRecord } from '../model/record.ts';

/** The kinds of stamps that figures are made of. `content` is every read that brought content. */
export const STAMPS = [
  'connected',
  'headers',
  'firstByte',
  'firstEvent',
  'firstToken',
  'firstAnswer',
  'content',
  'lastToken',
  'end',
] as const;

/** One kind of stamp. */
export type Stamp = (typeof STAMPS)[number];

/** Which of a cell's rounds; one that was continued with --resume has several parts. */
export type RoundPart = Pick<RequestRecord, 'round' | 'part'>;

/** How many stamps of a cell fell when: in bins, so that memory does not grow with the requests. */
export interface StampTimes {
  /** Counts the stamps of an answer. */
  add(record: RequestRecord): void;
  /** Calls `visit` with the middle of each bin, in ms from the start of the run, and the stamps in it. */
  each(stamp: Stamp, block: RoundPart, visit: (atMs: number, count: number) => void): void;
}

// Half of the shortest slice of the client's load.
const BIN_MS = 10;
// A round of over 40 s has wider bins.
const MOST_BINS = 4096;

/** No stamps yet. */
export function createStampTimes(): StampTimes {
  const all = new Map<string, Bins>();
  const binsOf = (stamp: Stamp, block: RoundPart): Bins => {
    const key = keyOf(stamp, block);
    const bins = all.get(key) ?? { widthMs: BIN_MS, counts: new Map() };
    all.set(key, bins);
    return bins;
  };
  return {
    add(record) {
      const { marks, gaps, connection } = record;
      for (const name of STAMPS) {
        if (name === 'connected' || name === 'content') continue;
        const atMs = marks[name];
        if (atMs !== undefined) count(binsOf(name, record), atMs);
      }
      const connectedMs = marks.tls ?? marks.tcp;
      if (connection?.reused === false && connectedMs !== undefined) {
        count(binsOf('connected', record), connectedMs);
      }
      if (marks.firstToken === undefined || gaps.length === 0) return;
      const content = binsOf('content', record);
      let atMs = marks.firstToken;
      for (const gap of gaps) {
        atMs += gap;
        count(content, atMs);
      }
    },
    each(stamp, block, visit) {
      const bins = all.get(keyOf(stamp, block));
      if (bins === undefined) return;
      for (const [bin, n] of bins.counts) visit((bin + 0.5) * bins.widthMs, n);
    },
  };
}

function keyOf(stamp: Stamp, { round, part = 0 }: RoundPart): string {
  return `${stamp} ${round} ${part}`;
}

interface Bins {
  widthMs: number;
  counts: Map<number, number>;
}

function count(bins: Bins, atMs: number): void {
  const bin = Math.floor(atMs / bins.widthMs);
  bins.counts.set(bin, (bins.counts.get(bin) ?? 0) + 1);
  while (bins.counts.size > MOST_BINS) widen(bins);
}

function widen(bins: Bins): void {
  const wider = new Map<number, number>();
  for (const [bin, n] of bins.counts) wider.set(bin >> 1, (wider.get(bin >> 1) ?? 0) + n);
  bins.counts = wider;
  bins.widthMs *= 2;
}
