import type { Cell, LoadLevel } from './plan.ts';
import type { RequestRecord } from './record.ts';

/** The load alone, of whatever has one. */
export function levelOf({ concurrency, rate }: LoadLevel): LoadLevel {
  return rate === undefined ? { concurrency } : { concurrency, rate };
}

/** The cell alone, of whatever belongs to one. */
export function cellOf({ target, prompt, mode, ...load }: Cell): Cell {
  return { target, prompt, ...levelOf(load), mode };
}

/** True for two of the same load. */
export function sameLevel(a: LoadLevel, b: LoadLevel): boolean {
  return a.concurrency === b.concurrency && a.rate === b.rate;
}

/** `4 streams`; in an open loop `20 requests/s`. */
export function levelInWords({ concurrency, rate }: LoadLevel): string {
  if (rate !== undefined) return `${rate} ${rate === 1 ? 'request' : 'requests'}/s`;
  return `${concurrency} ${concurrency === 1 ? 'stream' : 'streams'}`;
}

/** One text for each cell, for use as a key. */
export function cellKey({ target, prompt, concurrency, rate, mode }: Cell): string {
  // By length, as names may hold any character; not as JSON, because every record of a run is asked for its key.
  return `${target.length}:${target}${prompt.length}:${prompt}${mode} ${concurrency} ${rate}`;
}

/** Which stretch of a cell was measured at once: a round, or a part of one that was continued with --resume. */
export type RoundPart = Pick<RequestRecord, 'round' | 'part'>;

// More than a run has.
const MOST_ROUNDS = 2 ** 32;

/** One number for each stretch of a cell, for use as a key. */
export function roundPartKey({ round, part = 0 }: RoundPart): number {
  return part * MOST_ROUNDS + round;
}

/** A map by cells. Quick where the same cell is asked for again and again, as by the records of a block. */
export class CellMap<T> {
  private readonly map = new Map<string, T>();
  private last: Cell | undefined;
  private lastValue: T | undefined;

  get(cell: Cell): T | undefined {
    const { last } = this;
    if (
      last !== undefined &&
      last.target === cell.target &&
      last.prompt === cell.prompt &&
      last.mode === cell.mode &&
      last.concurrency === cell.concurrency &&
      last.rate === cell.rate
    )
      return this.lastValue;
    const value = this.map.get(cellKey(cell));
    this.last = cell;
    this.lastValue = value;
    return value;
  }

  set(cell: Cell, value: T): void {
    this.map.set(cellKey(cell), value);
    this.last = undefined;
  }

  values(): Iterable<T> {
    return this.map.values();
  }
}
