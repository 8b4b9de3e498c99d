import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorCode, type ExitCode, type Problem, UserError } from '../model/errors.ts';
import { createSimulator, type SimulatorOptions } from './simulator.ts';
import type { TruthEntry } from './truth.ts';

/** The worker's start parameters. */
export interface SimulatorWorkerSettings {
  options: Omit<SimulatorOptions, 'clock' | 'ownThread'>;
  port: number;
  host: string;
}

/** A message to the worker. */
export type SimulatorWorkerRequest = { type: 'truth' } | { type: 'close' };

/** A message from the worker. Replies come in the order of the requests. */
export type SimulatorWorkerReply =
  | { type: 'listening'; url: string; port: number }
  /** The fields of a `UserError`, which cannot be cloned to another thread. */
  | { type: 'failed'; code: ErrorCode; problems: readonly Problem[]; exitCode: ExitCode }
  | { type: 'truth'; entries: readonly TruthEntry[] };

const { options, port, host } = workerData as SimulatorWorkerSettings;
const parent = parentPort;
if (parent === null) throw new Error('this module runs in a worker thread');
const post = (reply: SimulatorWorkerReply): void => parent.postMessage(reply);

const simulator = createSimulator({ ...options, ownThread: true });
parent.on('message', (request: SimulatorWorkerRequest) => {
  switch (request.type) {
    case 'truth':
      post({ type: 'truth', entries: simulator.log });
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
  post({ type: 'listening', ...(await simulator.listen(port, host)) });
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  post({ type: 'failed', code: error.code, problems: error.problems, exitCode: error.exitCode });
  parent.close();
}
