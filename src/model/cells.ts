import type { Block, Cell, LoadLevel } from './plan.ts';
import type { RequestRecord } from './record.ts';

/** Only the load level of an object that has one. Fields that it does not have are absent: levels are stored and compared. */
export function levelOf({ concurrency, rate, stage, from }: LoadLevel): LoadLevel {
  const level: LoadLevel = { concurrency };
  if (rate !== undefined) level.rate = rate;
  if (stage !== undefined) level.stage = stage;
  if (from !== undefined) level.from = from;
  return level;
}

/** Only the cell of an object that belongs to one. */
export function cellOf({ target, prompt, mode, ...load }: Cell): Cell {
  return { target, prompt, ...levelOf(load), mode };
}

/** True if two load levels are equal. */
export function sameLevel(a: LoadLevel, b: LoadLevel): boolean {
  return a.concurrency === b.concurrency && a.rate === b.rate && a.stage === b.stage && a.from === b.from;
}

/** The different load levels of some cells, in their order. */
export function distinctLevels(cells: readonly LoadLevel[]): LoadLevel[] {
  return cells
    .map(levelOf)
    .filter((level, at, levels) => levels.findIndex((other) => sameLevel(other, level)) === at);
}

/** `4 streams`; in an open loop `20 requests/s`; of a stage `stage spike (20 requests/s)`. */
export function levelInWords({ concurrency, rate, stage, from }: LoadLevel): string {
  const reached = rate ?? concurrency;
  const [one, many] = rate === undefined ? ['stream', 'streams'] : ['request/s', 'requests/s'];
  const load = `${from === undefined ? '' : `${from} to `}${reached} ${reached === 1 ? one : many}`;
  return stage === undefined ? load : `stage ${stage} (${load})`;
}

/** True if both belong to one course of stages, which are measured without a pause in between. */
export function sameCourse(a: Cell, b: Cell): boolean {
  if (a.stage === undefined || b.stage === undefined) return false;
  return a.target === b.target && a.prompt === b.prompt && a.mode === b.mode;
}

/** Indexes of the cells that a block measures: one, or the stages of a load. */
export function cellsOfBlock({ cell, phases = [] }: Pick<Block, 'cell' | 'phases'>): number[] {
  return [...new Set([cell, ...phases.flatMap((phase) => phase.cell ?? [])])];
}

/** One text for each cell, for use as a key. */
export function cellKey({ target, prompt, concurrency, rate, mode, stage }: Cell): string {
  // Lengths delimit the names, which may contain any character. Faster than JSON: every record of a run needs its key.
  const key = `${target.length}:${target}${prompt.length}:${prompt}${mode} ${concurrency} ${rate}`;
  return stage === undefined ? key : `${key} ${stage}`;
}

/** The period in which part of a cell was measured: a round, or a part of a round that --resume continued. */
export type RoundPart = Pick<RequestRecord, 'round' | 'part'>;

// Above the number of rounds of any run.
const MAX_ROUNDS = 2 ** 32;

/** One number for each such period, for use as a key. */
export function roundPartKey({ round, part = 0 }: RoundPart): number {
  return part * MAX_ROUNDS + round;
}

/** The period in which one machine measured part of a cell. */
export type MachinePart = RoundPart & Pick<RequestRecord, 'shard'>;

// Above the number of parts of any run; a shard has one.
const MAX_PARTS = 2 ** 10;

/** One number for each such period, for use as a key. */
export function machinePartKey(part: MachinePart): number {
  return (part.shard ?? 0) * MAX_PARTS * MAX_ROUNDS + roundPartKey(part);
}

/** A map with cells as keys. Fast for repeated look-ups of one cell, as for the records of a block. */
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
      last.rate === cell.rate &&
      last.stage === cell.stage
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
