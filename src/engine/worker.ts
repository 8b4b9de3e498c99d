import { parentPort, workerData } from 'node:worker_threads';
import { monotonicClock } from '../model/clock.ts';
import type { LoopUtilization } from '../model/load-report.ts';
import type { Block, Cell, RunPlan } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { sleeperFor } from './alarm.ts';
import { localRunner, type ThreadShare } from './block.ts';
import { blockCounts } from './counts.ts';
import type { ThreadIndex } from './executor.ts';
import { clientExecutor } from './executor.ts';

/** Settings of a measuring thread. */
export interface ThreadSettings {
  plan: RunPlan;
  secrets: readonly Secret[];
  originAt: number;
  thread: ThreadIndex;
}

/** A command from the main thread to a measuring thread. */
export type ThreadCommand =
  /** Warm up for a share of the block, and reply `warm`. */
  | { kind: 'run'; block: Block; cell: Cell; share: ThreadShare; counts: SharedArrayBuffer }
  /** The window of all threads opens at this time of the machine's clock. */
  | { kind: 'open'; at: number }
  | { kind: 'drain' }
  | { kind: 'kill'; reason: string };

/** A reply of a measuring thread. Observations are sent when finished, in batches. */
export type ThreadReply =
  | { kind: 'ready' }
  /** Connections are open and the warm-up is done: the window may open. */
  | { kind: 'warm' }
  | { kind: 'observations'; measured: Observation[]; warmup: Observation[] }
  | { kind: 'done'; loads: LoopUtilization[] }
  /** The thread cannot continue; its last reply. */
  | { kind: 'dying'; reason: string };

// Posting a message costs time on the measuring loop: observations are batched for this long.
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
  const { seed, client: { retries } = {} } = plan;
  const runner = localRunner({
    clock: monotonicClock,
    sleep,
    executor,
    signals,
    originAt,
    retries,
    seed,
  });
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

  // Post what was measured; the main thread terminates this one.
  process.on('uncaughtException', (error) => {
    flush();
    reply({ kind: 'dying', reason: error.message });
  });

  port.on('message', async (request: ThreadCommand) => {
    switch (request.kind) {
      case 'run': {
        const observer = { recorded: keep(() => measured), warmedUp: keep(() => warmup) };
        const { block, cell, share } = request;
        const shared = { memory: request.counts, counts: blockCounts(request.counts), ready: untilOpen };
        const loads = await runner.run(block, cell, observer, share, shared);
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
