import { parentPort, workerData } from 'node:worker_threads';
import { monotonicClock } from '../model/clock.ts';
import type { LoopLoad } from '../model/load-report.ts';
import type { Block, Cell, RunPlan } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { sleeperFor } from './alarm.ts';
import { localRunner, type ThreadShare } from './block.ts';
import { blockCounts } from './counts.ts';
import { clientExecutor } from './executor.ts';
import type { ThreadIndex } from './nonces.ts';

/** What a measuring thread is given at its start. */
export interface ThreadSettings {
  plan: RunPlan;
  secrets: readonly Secret[];
  originAt: number;
  /** Which of the run's measuring threads it is. */
  thread: ThreadIndex;
}

/** What the main thread asks of a measuring thread. */
export type ThreadCommand =
  /** Warm up for a part of the block, and say `warm`. */
  | { kind: 'run'; block: Block; cell: Cell; part: ThreadShare; counts: SharedArrayBuffer }
  /** The window of all threads opens at this moment of the machine's clock. */
  | { kind: 'open'; at: number }
  | { kind: 'drain' }
  | { kind: 'kill'; reason: string };

/** What a measuring thread answers. Only finished observations cross, several at a time. */
export type ThreadReply =
  | { kind: 'ready' }
  /** Its connections are open and its warm-up is done: the window may open. */
  | { kind: 'warm' }
  | { kind: 'observations'; measured: Observation[]; warmup: Observation[] }
  | { kind: 'done'; loads: LoopLoad[] }
  /** The last word of a thread that cannot go on. */
  | { kind: 'dying'; reason: string };

// Handing over costs time on the loop that measures: what has ended is gathered for this long.
const BATCH_MS = 50;

function serve(
  port: NonNullable<typeof parentPort>,
  { plan, secrets, originAt, thread }: ThreadSettings,
): void {
  const drain = new AbortController();
  const kill = new AbortController();
  const signals = { drain: drain.signal, kill: kill.signal };
  const executor = clientExecutor(plan, monotonicClock, secrets, thread);
  const { sleep } = sleeperFor(plan);
  const runner = localRunner({ clock: monotonicClock, sleep, executor, signals, originAt });
  const reply = (message: ThreadReply) => port.postMessage(message);

  let measured: Observation[] = [];
  let warmup: Observation[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (measured.length + warmup.length > 0) reply({ kind: 'observations', measured, warmup });
    measured = [];
    warmup = [];
  };
  const keep = (list: () => Observation[]) => (observation: Observation) => {
    list().push(observation);
    timer ??= setTimeout(flush, BATCH_MS);
  };

  let open = (_at: number) => {};
  const untilOpen = () => {
    const opensAt = new Promise<number>((resolve) => {
      open = resolve;
    });
    reply({ kind: 'warm' });
    return opensAt;
  };

  // What has been measured is handed over; the main thread ends this one.
  process.on('uncaughtException', (error) => {
    flush();
    reply({ kind: 'dying', reason: error.message });
  });

  port.on('message', async (request: ThreadCommand) => {
    switch (request.kind) {
      case 'run': {
        const observer = { recorded: keep(() => measured), warmedUp: keep(() => warmup) };
        const { block, cell, part } = request;
        const together = { counts: blockCounts(request.counts), ready: untilOpen };
        const loads = await runner.run(block, cell, observer, part, together);
        flush();
        reply({ kind: 'done', loads });
        break;
      }
      case 'open':
        open(request.at);
        break;
      case 'drain':
        drain.abort();
        break;
      case 'kill':
        kill.abort(request.reason);
        break;
      default:
        request satisfies never;
    }
  });
  reply({ kind: 'ready' });
}

if (parentPort !== null) serve(parentPort, workerData as ThreadSettings);
