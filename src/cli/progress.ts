import ora, { type Ora } from 'ora';
import type { LevelEvidence } from '../analysis/sweep/evidence.ts';
import type { RunObserver } from '../bench/run/run.ts';
import { isFinal } from '../model/behaviour.ts';
import { cellsOfBlock, levelInWords } from '../model/cells.ts';
import type { Block, Cell, RunPlan } from '../model/plan.ts';
import { isEndedByClient, type RequestRecord } from '../model/record.ts';
import { clip, oneLine } from '../report/text-width.ts';
import { levelInSweep } from '../report/wording/sweep.ts';
import { isSessionBlock } from '../scenario/plan.ts';

/** Shows the progress of a run on stderr. */
export interface RunProgress extends RunObserver {
  /** Removes the display, so that other text can be written. */
  end(): void;
}

/** The dependencies of a progress display. */
interface ProgressDeps {
  stderr: NodeJS.WriteStream;
  /** Makes a text safe for stderr. */
  shown(text: string): string;
  /** True if a line can be redrawn. */
  redraws: boolean;
  /** Milliseconds on a monotonic clock. */
  now(): number;
}

/** Drawing takes time of the event loop that measures, so only five times a second. */
const DRAW_EVERY_MS = 200;

/** On a terminal, one line that is redrawn; elsewhere, one line per finished cell. */
export function createProgress(deps: ProgressDeps): RunProgress {
  return deps.redraws ? new SpinnerProgress(deps) : new LineProgress(deps);
}

/** The counts that both displays show. */
class Tally {
  done = 0;
  failed = 0;
  total: number | null = 0;
  blocks = 0;
  blocksDone = 0;
  private startedAt = 0;
  private readonly cells = new Map<Cell, { done: number; failed: number; blocksLeft: number }>();

  begin(plan: RunPlan, now: number): void {
    this.startedAt = now;
    this.blocks = plan.blocks.length;
    // How many requests a session has is not known.
    const counts = plan.blocks.map((block) => (isSessionBlock(plan, block) ? undefined : block.requests));
    this.total =
      plan.sweep === undefined && counts.every((count) => count !== undefined)
        ? counts.reduce((a, b) => a + b, 0)
        : null;
    for (const block of plan.blocks) {
      for (const index of cellsOfBlock(block)) this.of(plan.cells[index]!).blocksLeft++;
    }
  }

  of(cell: Cell) {
    const found = this.cells.get(cell) ?? { done: 0, failed: 0, blocksLeft: 0 };
    this.cells.set(cell, found);
    return found;
  }

  add(record: RequestRecord, cell: Cell): void {
    if (!isFinal(record)) return;
    const ofCell = this.of(cell);
    this.done++;
    ofCell.done++;
    if (record.outcome.kind !== 'ok' && !isEndedByClient(record.outcome.kind)) {
      this.failed++;
      ofCell.failed++;
    }
  }

  /** Estimated time left; undefined until 3 % is done. */
  left(now: number): string | undefined {
    // A sweep does not know how many blocks it will need.
    if (this.blocks === 0) return undefined;
    const share = this.total ? this.done / this.total : this.blocksDone / this.blocks;
    if (share < 0.03) return undefined;
    const seconds = Math.round(((now - this.startedAt) / 1000) * (1 / share - 1));
    return seconds >= 90 ? `${Math.round(seconds / 60)} min left` : `${seconds} s left`;
  }
}

function titleOf(cell: Cell): string {
  return `${oneLine(cell.target)} · ${oneLine(cell.prompt)} · ${levelInWords(cell)} · ${cell.mode}`;
}

class SpinnerProgress implements RunProgress {
  private readonly tally = new Tally();
  private readonly spinner: Ora;
  private readonly deps: ProgressDeps;
  private cell: Cell | undefined;
  private round = 0;
  private rounds = 1;
  private timer: NodeJS.Timeout | undefined;
  /** The last judged level of a sweep. */
  private judged: string | undefined;

  constructor(deps: ProgressDeps) {
    this.deps = deps;
    this.spinner = ora({
      stream: deps.stderr,
      isEnabled: true,
      spinner: { interval: DRAW_EVERY_MS, frames: ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'] },
      // Ctrl-C must reach the program as a signal, and stdin may belong to another program.
      discardStdin: false,
    });
  }

  planned(plan: RunPlan): void {
    this.tally.begin(plan, this.deps.now());
    this.rounds = Math.max(0, ...plan.blocks.map((block) => block.round)) + 1;
    this.spinner.start(this.status());
    // Drawn on a timer, so that a finished request only costs counting.
    this.timer = setInterval(() => {
      this.spinner.text = this.status();
    }, DRAW_EVERY_MS);
  }

  blockStarted(block: Block, cell: Cell): void {
    this.cell = cell;
    this.round = block.round + 1;
  }

  recorded(record: RequestRecord, cell: Cell): void {
    this.tally.add(record, cell);
  }

  blockEnded(): void {
    this.tally.blocksDone++;
  }

  levelJudged(level: LevelEvidence): void {
    this.judged = `${levelInWords(level.cell)}: ${levelInSweep(level)}`;
  }

  end(): void {
    clearInterval(this.timer);
    this.spinner.stop();
  }

  private status(): string {
    const { done, total, failed } = this.tally;
    const parts = [
      total === null ? `${done} requests` : `${done}/${total}`,
      failed === 0 ? undefined : `${failed} failed`,
      this.rounds > 1 ? `round ${this.round}/${this.rounds}` : undefined,
      this.cell === undefined ? 'connecting' : titleOf(this.cell),
      this.judged,
      this.tally.left(this.deps.now()),
    ];
    const line = parts.filter((part) => part !== undefined).join(' · ');
    return clip(this.deps.shown(line), Math.max(20, (this.deps.stderr.columns || 80) - 4));
  }
}

class LineProgress implements RunProgress {
  private readonly tally = new Tally();
  private readonly deps: ProgressDeps;
  private cells: RunPlan['cells'] = [];

  constructor(deps: ProgressDeps) {
    this.deps = deps;
  }

  planned(plan: RunPlan): void {
    this.cells = plan.cells;
    this.tally.begin(plan, this.deps.now());
  }

  recorded(record: RequestRecord, cell: Cell): void {
    this.tally.add(record, cell);
  }

  blockEnded(block: Block): void {
    this.tally.blocksDone++;
    for (const index of cellsOfBlock(block)) this.cellEnded(this.cells[index]!);
  }

  private cellEnded(cell: Cell): void {
    const { done, failed, blocksLeft } = this.tally.of(cell);
    this.tally.of(cell).blocksLeft = blocksLeft - 1;
    // A sweep has no planned blocks; a line for each of its measurements follows in `levelJudged`.
    if (blocksLeft !== 1) return;
    const left = this.tally.left(this.deps.now());
    const errors = failed === 0 ? '' : `, ${failed} failed`;
    const line = `${titleOf(cell)}: ${done} ${done === 1 ? 'request' : 'requests'}${errors}${left === undefined ? '' : ` (${left})`}`;
    this.deps.stderr.write(`${this.deps.shown(line)}\n`);
  }

  levelJudged(level: LevelEvidence): void {
    this.deps.stderr.write(`${this.deps.shown(`${titleOf(level.cell)}: ${levelInSweep(level)}`)}\n`);
  }

  end(): void {}
}
