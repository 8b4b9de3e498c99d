import type { OpenWindow } from '../../engine/block.ts';
import { blockCounts } from '../../engine/counts.ts';
import { metric } from '../../metrics/definitions.ts';
import { isFinal } from '../../model/behaviour.ts';
import { cellsOfBlock } from '../../model/cells.ts';
import type { Block, Cell, RunPlan } from '../../model/plan.ts';
import { isEndedByClient, type RequestRecord } from '../../model/record.ts';
import { isSessionBlock } from '../../scenario/plan.ts';
import { RunningFigure } from './running-figure.ts';

/** What a progress display shows. All texts are safe to print. */
export interface ProgressState {
  phase: 'preparing' | 'starting' | 'warming up' | 'measuring';
  elapsedMs: number;
  /** Estimated time left; undefined while it is not known. */
  leftMs?: number;
  /** Share of the run that is done, 0 to 1; undefined where its length is not known. */
  share?: number;
  done: number;
  failed: number;
  /** Planned requests; null where their number is not known. */
  total: number | null;
  /** From 1; 0 before the first. */
  round: number;
  rounds: number;
  /** Requests in flight. */
  inFlight?: number;
  /** Of the busiest measuring thread, lately, 0 to 1. */
  utilization?: number;
  /** What is measured now. */
  cell?: CellProgress;
  /** The last judged level of a sweep. */
  judged?: string;
}

/** The figures of one cell so far. */
export interface CellProgress {
  name: string;
  done: number;
  failed: number;
  /** Of its successful requests, in ms; absent before the first. `trend`: means of consecutive requests. */
  ttft?: { p50: number; p95: number; trend: readonly number[] };
  /** Output of its successful requests over the time in which it was measured. */
  perSecond?: { value: number; unit: 'tokens' | 'chunks' };
}

interface CellCounts {
  done: number;
  failed: number;
  blocksLeft: number;
  ttft: RunningFigure;
  tokens: number;
  /** True if tokens of a request are not known: chunks are counted then. */
  inChunks: boolean;
  chunks: number;
  /** In windows that have ended. */
  measuredMs: number;
}

/** A window shorter than this has no rate yet. */
const LEAST_WINDOW_MS = 500;

/** Below this share the time left is a guess. */
const LEAST_SHARE = 0.03;

const ttft = metric('ttft');

/** Counts what a progress display shows. A request costs a few additions; nothing else happens on the loop that measures. */
export class ProgressTally {
  /** The last judged level of a sweep. */
  judged: string | undefined;
  private readonly startedAt: number;
  private beganAt: number | undefined;
  private phase: ProgressState['phase'] = 'preparing';
  private plan: RunPlan | undefined;
  private total: number | null = null;
  private totalMs: number | null = null;
  private rounds = 0;
  private done = 0;
  private failed = 0;
  private blocksDone = 0;
  private endedMs = 0;
  private block:
    | { block: Block; startedAt: number; window?: { window: OpenWindow; openedAt: number } }
    | undefined;
  private cell: Cell | undefined;
  private utilization: number | undefined;
  private readonly cells = new Map<Cell, CellCounts>();
  private readonly nameOf: (cell: Cell) => string;

  constructor(now: number, nameOf: (cell: Cell) => string) {
    this.startedAt = now;
    this.nameOf = nameOf;
  }

  planned(plan: RunPlan): void {
    this.plan = plan;
    this.phase = 'starting';
    const { blocks, cells } = plan;
    const isSweep = plan.sweep !== undefined;
    this.total = isSweep ? null : sumOf(blocks.map((block) => requestsOf(plan, block)));
    this.totalMs = isSweep ? null : sumOf(blocks.map(durationOf));
    this.rounds = Math.max(0, ...blocks.map(({ round }) => round + 1));
    for (const block of blocks) {
      for (const index of cellsOfBlock(block)) {
        const cell = cells[index];
        if (cell !== undefined) this.countsOf(cell).blocksLeft++;
      }
    }
  }

  blockStarted(block: Block, cell: Cell, now: number): void {
    this.phase = block.warmup > 0 ? 'warming up' : 'measuring';
    this.beganAt ??= now;
    this.block = { block, startedAt: now };
    this.cell = cell;
    this.utilization = undefined;
  }

  windowOpened(window: OpenWindow, now: number): void {
    this.phase = 'measuring';
    if (this.block !== undefined) this.block.window = { window, openedAt: now };
  }

  recorded(record: RequestRecord, cell: Cell): void {
    if (!isFinal(record)) return;
    const counts = this.countsOf(cell);
    this.done++;
    counts.done++;
    // The stages of a load follow each other; a request of the stage before may end later.
    if (cell.stage !== undefined && this.indexOf(cell) > this.indexOf(this.cell)) this.cell = cell;
    const { kind } = record.outcome;
    if (kind === 'ok') {
      const value = ttft.values(record, NO_STALLS);
      if (typeof value === 'number') counts.ttft.add(value);
      const { output, source } = record.tokens;
      counts.chunks += record.contentEvents;
      if (source === 'chunks' || output === null) counts.inChunks = true;
      else counts.tokens += output;
    } else if (!isEndedByClient(kind)) {
      this.failed++;
      counts.failed++;
    }
  }

  /** Returns the planned cells of which this was the last block. A sweep has none. */
  blockEnded(block: Block, now: number): Cell[] {
    const open = this.block;
    this.block = undefined;
    this.blocksDone++;
    this.endedMs += durationOf(block) ?? 0;
    return cellsOfBlock(block).flatMap((index) => {
      const cell = this.plan?.cells[index];
      if (cell === undefined) return [];
      const counts = this.countsOf(cell);
      if (open?.window !== undefined) counts.measuredMs += now - open.window.openedAt;
      counts.blocksLeft--;
      return counts.blocksLeft === 0 ? [cell] : [];
    });
  }

  /** The state at this time. Asks the measuring threads for their utilization. */
  state(now: number): ProgressState {
    const { phase, done, failed, total, rounds, judged, cell } = this;
    const window = this.block?.window?.window;
    const share = this.share(now);
    return {
      phase,
      elapsedMs: now - this.startedAt,
      leftMs: this.leftMs(share, now),
      share,
      done,
      failed,
      total,
      round: this.block === undefined && done === 0 ? 0 : (this.block?.block.round ?? rounds - 1) + 1,
      rounds,
      inFlight: window && blockCounts(window.counts).inFlight(),
      utilization: this.recentUtilization(window),
      cell: cell && this.cellProgress(cell, now),
      judged,
    };
  }

  /** The figures of a cell at this time. */
  cellProgress(cell: Cell, now: number): CellProgress {
    const counts = this.countsOf(cell);
    const { done, failed, ttft: figure } = counts;
    const [p50, p95] = [figure.percentile(0.5), figure.percentile(0.95)];
    return {
      name: this.nameOf(cell),
      done,
      failed,
      ttft: p50 === undefined || p95 === undefined ? undefined : { p50, p95, trend: figure.trend() },
      perSecond: this.rateOf(counts, cell, now),
    };
  }

  private rateOf(counts: CellCounts, cell: Cell, now: number): CellProgress['perSecond'] {
    // The windows of stages are not known apart.
    if (cell.stage !== undefined) return undefined;
    const openedAt = this.cell === cell ? this.block?.window?.openedAt : undefined;
    const measuredMs = counts.measuredMs + (openedAt === undefined ? 0 : now - openedAt);
    const output = counts.inChunks ? counts.chunks : counts.tokens;
    if (measuredMs < LEAST_WINDOW_MS || output === 0) return undefined;
    return { value: (output * 1000) / measuredMs, unit: counts.inChunks ? 'chunks' : 'tokens' };
  }

  private countsOf(cell: Cell): CellCounts {
    let counts = this.cells.get(cell);
    if (counts === undefined) {
      counts = {
        ...{ done: 0, failed: 0, blocksLeft: 0, measuredMs: 0 },
        ...{ tokens: 0, chunks: 0, inChunks: false },
        ttft: new RunningFigure(),
      };
      this.cells.set(cell, counts);
    }
    return counts;
  }

  private indexOf(cell: Cell | undefined): number {
    return cell === undefined ? -1 : (this.plan?.cells.indexOf(cell) ?? -1);
  }

  private share(now: number): number | undefined {
    const { plan, total, totalMs, block } = this;
    if (plan === undefined || plan.blocks.length === 0) return undefined;
    const shares: number[] = [];
    if (total !== null && total > 0) shares.push(this.done / total);
    if (totalMs !== null && totalMs > 0) {
      // Phases begin with the block, and its window opens after the first ones.
      const beganAt = block?.block.phases === undefined ? block?.window?.openedAt : block.startedAt;
      const inBlock =
        block === undefined || beganAt === undefined
          ? 0
          : Math.min(durationOf(block.block) ?? 0, now - beganAt);
      shares.push((this.endedMs + inBlock) / totalMs);
    }
    if (shares.length === 0) shares.push(this.blocksDone / plan.blocks.length);
    return Math.min(1, Math.max(...shares));
  }

  private leftMs(share: number | undefined, now: number): number | undefined {
    if (share === undefined || share < LEAST_SHARE || this.beganAt === undefined) return undefined;
    return (now - this.beganAt) * (1 / share - 1);
  }

  private recentUtilization(window: OpenWindow | undefined): number | undefined {
    const threads = window?.utilization() ?? [];
    if (threads.length === 0) return undefined;
    const busiest = Math.max(...threads);
    // Smoothed: a single reading covers a fraction of a second.
    this.utilization = this.utilization === undefined ? busiest : 0.7 * this.utilization + 0.3 * busiest;
    return this.utilization;
  }
}

// TTFT does not depend on the stall limit.
const NO_STALLS = { stallMs: Number.POSITIVE_INFINITY };

/** How many requests a session has is not known. */
function requestsOf(plan: RunPlan, block: Block): number | undefined {
  return isSessionBlock(plan, block) ? undefined : block.requests;
}

/** How long a block issues requests, as far as it is planned. */
function durationOf({ durationMs, phases, startMs = 0 }: Block): number | undefined {
  if (phases === undefined) return durationMs;
  const wholeMs = sumOf(phases.map((phase) => phase.durationMs));
  return wholeMs === null ? undefined : Math.max(0, wholeMs - startMs);
}

function sumOf(values: readonly (number | undefined)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === undefined) return null;
    sum += value;
  }
  return sum;
}
