import type { LevelEvidence } from '../../analysis/sweep/evidence.ts';
import type { RunObserver } from '../../bench/run/run.ts';
import type { OpenWindow } from '../../engine/block.ts';
import { levelInWords } from '../../model/cells.ts';
import { formatCount } from '../../model/format.ts';
import type { Block, Cell, RunPlan } from '../../model/plan.ts';
import type { RequestRecord } from '../../model/record.ts';
import { oneLine } from '../../report/text-width.ts';
import { levelInSweep } from '../../report/wording/sweep.ts';
import type { ColorLevel } from '../terminal.ts';
import { LiveScreen, type ScreenTerminal } from './live-screen.ts';
import { doneText, liveView, timeLeft, ttftText } from './live-view.ts';
import { type CellProgress, type ProgressState, ProgressTally } from './progress-state.ts';

/** Shows the progress of a run on stderr. */
export interface RunProgress extends RunObserver {
  /** Removes a live view, so that other text can be written. It is drawn again soon. */
  clear(): void;
  /** Removes the display for good. */
  end(): void;
}

/** The dependencies of a progress display. */
interface ProgressDeps {
  stderr: ScreenTerminal;
  /** Makes a text safe for stderr. */
  shown(text: string): string;
  /** True if lines can be redrawn. */
  redraws: boolean;
  color: ColorLevel;
  ascii: boolean;
  /** Milliseconds on a monotonic clock. */
  now(): number;
}

/** On a terminal a live view; elsewhere a line for each finished cell, and at least one every 15 s. */
export function createProgress(deps: ProgressDeps): RunProgress {
  return deps.redraws ? new LiveProgress(deps) : new LogProgress(deps);
}

const FRAME_MS = 200;

/**
 * Drawing takes time of the event loop that may measure. After a frame that took long (a slow terminal, a busy machine) the
 * next one comes later, so that frames take at most this share of the time.
 */
const MOST_DRAWING = 0.01;

/** A log that is silent for longer looks like a run that hangs. */
const LOG_EVERY_MS = 15_000;

function titleOf(cell: Cell): string {
  return `${oneLine(cell.target)} · ${oneLine(cell.prompt)} · ${levelInWords(cell)} · ${cell.mode}`;
}

/** Counts the events of a run. */
abstract class CountingProgress implements RunProgress {
  protected readonly deps: ProgressDeps;
  protected readonly tally: ProgressTally;

  constructor(deps: ProgressDeps) {
    this.deps = deps;
    // Names are made safe before they are cut to the width: a part of a secret is not recognised.
    this.tally = new ProgressTally(deps.now(), (cell) => deps.shown(titleOf(cell)));
  }

  planned(plan: RunPlan): void {
    this.tally.planned(plan);
  }

  blockStarted(block: Block, cell: Cell): void {
    this.tally.blockStarted(block, cell, this.deps.now());
  }

  windowOpened(window: OpenWindow): void {
    this.tally.windowOpened(window, this.deps.now());
  }

  recorded(record: RequestRecord, cell: Cell): void {
    this.tally.recorded(record, cell);
  }

  blockEnded(block: Block): void {
    const now = this.deps.now();
    for (const cell of this.tally.blockEnded(block, now)) this.cellEnded(cell, now);
  }

  abstract levelJudged(level: LevelEvidence): void;
  abstract clear(): void;
  abstract end(): void;
  protected abstract cellEnded(cell: Cell, now: number): void;
}

/** A state with every part of the view. */
const FULL_STATE: ProgressState = {
  ...{ phase: 'measuring', elapsedMs: 1_000, leftMs: 1_000, share: 0.5, done: 1, failed: 1, total: 2 },
  ...{ round: 1, rounds: 2, inFlight: 1, utilization: 0.1, judged: '1 stream: met' },
  cell: {
    ...{ name: 'target · prompt · 1 stream · streaming'.repeat(9), done: 1, failed: 0 },
    ttft: { p50: 1, p95: 1, trend: [1, 2, 3] },
    perSecond: { value: 1, unit: 'tokens' },
  },
};

class LiveProgress extends CountingProgress {
  private readonly screen: LiveScreen;
  private timer: NodeJS.Timeout | undefined;

  constructor(deps: ProgressDeps) {
    super(deps);
    this.screen = new LiveScreen(deps.stderr);
    // The first frame takes 65 ms while its code is compiled, later ones 0.04 ms. Nothing is measured yet.
    liveView(FULL_STATE, { width: this.screen.width, color: deps.color, ascii: deps.ascii });
    this.schedule(FRAME_MS);
  }

  levelJudged(level: LevelEvidence): void {
    this.tally.judged = this.deps.shown(`${levelInWords(level.cell)}: ${levelInSweep(level)}`);
  }

  clear(): void {
    this.screen.clear();
  }

  end(): void {
    clearTimeout(this.timer);
    this.screen.clear();
  }

  protected cellEnded(): void {}

  // Drawn on a timer, so that a finished request only costs counting.
  private schedule(afterMs: number): void {
    this.timer = setTimeout(() => {
      const beganAt = this.deps.now();
      const { color, ascii } = this.deps;
      this.screen.draw(liveView(this.tally.state(beganAt), { width: this.screen.width, color, ascii }));
      this.schedule(Math.max(FRAME_MS, (this.deps.now() - beganAt) / MOST_DRAWING));
    }, afterMs).unref();
  }
}

class LogProgress extends CountingProgress {
  private timer: NodeJS.Timeout | undefined;

  constructor(deps: ProgressDeps) {
    super(deps);
    this.schedule();
  }

  levelJudged(level: LevelEvidence): void {
    this.line(`${titleOf(level.cell)}: ${levelInSweep(level)}`);
  }

  clear(): void {}

  end(): void {
    clearTimeout(this.timer);
  }

  // A sweep has no planned blocks; a line for each of its measurements follows in `levelJudged`.
  protected cellEnded(cell: Cell, now: number): void {
    const { name, done, failed, ttft } = this.tally.cellProgress(cell, now);
    const left = timeLeft(this.tally.state(now));
    const facts = [
      doneText({ done, total: null }),
      failedText(failed),
      ttft === undefined ? undefined : ttftText(ttft),
    ].filter((fact) => fact !== undefined);
    this.line(`${name}: ${facts.join(', ')}${left === undefined ? '' : ` (${left})`}`);
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.line(stateInWords(this.tally.state(this.deps.now()))), LOG_EVERY_MS);
    this.timer.unref();
  }

  private line(text: string): void {
    this.deps.stderr.write(`${this.deps.shown(text)}\n`);
    this.schedule();
  }
}

/** The state as one line of a log: `132/480 requests, 1 failed, 40 s left; now flash · ...: TTFT p50 182 ms, p95 420 ms`. */
function stateInWords(state: ProgressState): string {
  const { cell, phase, inFlight = 0 } = state;
  const facts = [
    doneText(state),
    failedText(state.failed),
    inFlight > 0 ? `${formatCount(inFlight)} in flight` : undefined,
    timeLeft(state),
  ].filter((fact) => fact !== undefined);
  return `${facts.join(', ')}; ${cell === undefined ? phase : nowInWords(cell, phase)}`;
}

function nowInWords({ name, done, ttft }: CellProgress, phase: ProgressState['phase']): string {
  if (phase === 'warming up') return `now ${name}: warming up`;
  const figures = ttft === undefined ? '' : `, ${ttftText(ttft)}`;
  return `now ${name}: ${doneText({ done, total: null })}${figures}`;
}

function failedText(failed: number): string | undefined {
  return failed === 0 ? undefined : `${formatCount(failed)} failed`;
}
