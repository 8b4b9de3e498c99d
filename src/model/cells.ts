import { cellKey } from './load-level.ts';
import type { Cell } from './plan.ts';

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
