import { type MachinePart, machinePartKey } from '../model/cells.ts';
import type { RequestRecord } from '../model/record.ts';

/** The kinds of stamps that metrics are computed from. `content`: every read that brought content. */
const STAMPS = [
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

/** The stamps of a cell over time: in bins, so that memory does not grow with the requests. */
export interface StampTimes {
  /** Counts the stamps of an answer. */
  add(record: RequestRecord): void;
  /** Calls `visit` with the middle of each bin, in ms from the start of the run, and the stamps in it. */
  each(stamp: Stamp, block: MachinePart, visit: (atMs: number, count: number) => void): void;
}

type BinsByStamp = Record<Stamp, Bins>;

/** No stamps yet. */
export function createStampTimes(): StampTimes {
  const blocks = new Map<number, BinsByStamp>();
  return {
    add(record) {
      const { marks, gaps, connection } = record;
      const key = machinePartKey(record);
      let bins = blocks.get(key);
      if (bins === undefined) {
        bins = Object.fromEntries(STAMPS.map((stamp) => [stamp, new Bins()])) as BinsByStamp;
        blocks.set(key, bins);
      }
      for (const name of STAMPS) {
        if (name === 'connected' || name === 'content') continue;
        const atMs = marks[name];
        if (atMs !== undefined) bins[name].add(atMs);
      }
      const connectedMs = marks.tls ?? marks.tcp;
      if (connection?.reused === false && connectedMs !== undefined) bins.connected.add(connectedMs);
      if (marks.firstToken === undefined) return;
      let atMs = marks.firstToken;
      for (const gap of gaps) {
        atMs += gap;
        bins.content.add(atMs);
      }
    },
    each(stamp, block, visit) {
      blocks.get(machinePartKey(block))?.[stamp].each(visit);
    },
  };
}

// Half of the shortest slice of the client's load.
const NARROWEST_MS = 10;
const FEWEST = 64;
// A round longer than 40 s has wider bins.
const MOST = 4096;

/** Counts by time. `counts[index]!`: the index is in the array; `+=` has no other way to say so. */
class Bins {
  private widthMs = NARROWEST_MS;
  /** Number of the first bin, counted from the start of the run. */
  private first = 0;
  private counts = new Uint32Array(0);

  /** HOT PATH: called for every gap of every record of a report. */
  add(atMs: number): void {
    let index = Math.floor(atMs / this.widthMs) - this.first;
    if (!(index >= 0 && index < this.counts.length)) {
      // A damaged record.
      if (!Number.isFinite(atMs)) return;
      index = this.makeRoom(atMs);
    }
    this.counts[index]! += 1;
  }

  each(visit: (atMs: number, count: number) => void): void {
    for (const [index, count] of this.counts.entries()) {
      if (count > 0) visit((this.first + index + 0.5) * this.widthMs, count);
    }
  }

  /** Adds bins up to a time that has none, and widens them if there would be too many. Returns the index of its bin. */
  private makeRoom(atMs: number): number {
    for (;;) {
      const bin = Math.floor(atMs / this.widthMs);
      const { first, counts } = this;
      if (counts.length === 0) this.first = bin;
      const last = this.first + counts.length - 1;
      const needed = Math.max(bin, last) - Math.min(bin, this.first) + 1;
      if (needed > MOST) {
        this.widen();
        continue;
      }
      let length = FEWEST;
      while (length < needed) length *= 2;
      if (length !== counts.length) {
        // Spare bins are on the side that grows.
        if (bin < first && counts.length > 0) this.first = last - length + 1;
        this.counts = new Uint32Array(length);
        this.counts.set(counts, counts.length === 0 ? 0 : first - this.first);
      }
      return bin - this.first;
    }
  }

  private widen(): void {
    const { first, counts } = this;
    this.widthMs *= 2;
    this.first = Math.floor(first / 2);
    this.counts = new Uint32Array(Math.ceil(counts.length / 2) + 1);
    for (const [index, count] of counts.entries()) {
      this.counts[Math.floor((first + index) / 2) - this.first]! += count;
    }
  }
}
