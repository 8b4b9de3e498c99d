import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorCode, type ExitCode, type Problem, UserError } from '../model/errors.ts';
import { createSimulator, type SimulatorOptions } from './simulator.ts';
import type { TruthEntry } from './truth.ts';

/** What the worker is told when it is started. */
export interface SimulatorWorkerSettings {
  options: Omit<SimulatorOptions, 'clock' | 'ownThread'>;
  port: number;
  host: string;
}

/** What the worker is asked for. */
export type SimulatorWorkerRequest = { type: 'truth' } | { type: 'close' };

/** What the worker says. Answers come in the order of the questions. */
export type SimulatorWorkerReply =
  | { type: 'listening'; url: string; port: number }
  /** `problems` and the codes are those of a `UserError`, which cannot cross a thread as it is. */
  | { type: 'failed'; code: ErrorCode; problems: readonly Problem[]; exitCode: ExitCode }
  | { type: 'truth'; entries: readonly TruthEntry[] };

const { options, port, host } = workerData as SimulatorWorkerSettings;
const parent = parentPort!;
const say = (reply: SimulatorWorkerReply): void => parent.postMessage(reply);

const simulator = createSimulator({ ...options, ownThread: true });
parent.on('message', (request: SimulatorWorkerRequest) => {
  switch (request.type) {
    case 'truth':
      say({ type: 'truth', entries: simulator.log });
      break;
    case 'close':
      void simulator.close().then(() => parent.close());
      break;
    default: {
      const impossible: never = request;
      throw new Error(`unknown request: ${JSON.stringify(impossible)}`);
    }
  }
});

try {
  say({ type: 'listening', ...(await simulator.listen(port, host)) });
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  say({ type: 'failed', code: error.code, problems: error.problems, exitCode: error.exitCode });
  parent.close();
}
