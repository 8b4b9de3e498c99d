import { Worker } from 'node:worker_threads';
import { UserError } from '../model/errors.ts';
import { createSimulator, type SimulatorOptions } from './simulator.ts';
import type { TruthEntry } from './truth.ts';
import type { SimulatorWorkerReply, SimulatorWorkerRequest, SimulatorWorkerSettings } from './worker.ts';

/** Settings of an embedded simulator. Its clock is always the machine's. */
export interface EmbeddedOptions extends Omit<SimulatorOptions, 'clock' | 'ownThread'> {
  /** Default 0: any free port. */
  port?: number;
  /** Default `127.0.0.1`. */
  host?: string;
}

/** A simulator that runs beside the program. */
export interface EmbeddedSimulator {
  /** Base of every address: `http://127.0.0.1:PORT`. */
  url: string;
  port: number;
  /** Ends every answer and the thread. */
  close(): Promise<void>;
  /** The requests that have ended, in the order in which they did. */
  truth(): Promise<readonly TruthEntry[]>;
}

/**
 * Starts a simulator on a thread of its own, so that it neither slows a client in this program nor is slowed by it.
 * Run from TypeScript sources it shares this thread instead, because a worker needs the compiled file. Rejects with a
 * `UserError` when the port is taken.
 */
export function startEmbeddedSimulator(options: EmbeddedOptions = {}): Promise<EmbeddedSimulator> {
  const { port = 0, host = '127.0.0.1', ...rest } = options;
  if (import.meta.url.endsWith('.ts')) return startInProcess(rest, port, host);
  return startWorker({ options: rest, port, host });
}

async function startInProcess(
  options: SimulatorOptions,
  port: number,
  host: string,
): Promise<EmbeddedSimulator> {
  const simulator = createSimulator(options);
  const address = await simulator.listen(port, host);
  return { ...address, close: () => simulator.close(), truth: async () => simulator.log };
}

interface Waiting {
  resolve(entries: readonly TruthEntry[]): void;
  reject(reason: Error): void;
}

function startWorker(settings: SimulatorWorkerSettings): Promise<EmbeddedSimulator> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: settings });
  const questions: Waiting[] = [];
  const ask = (request: SimulatorWorkerRequest): void => worker.postMessage(request);
  let stopped: Error | undefined;

  return new Promise((resolve, reject) => {
    const stop = (reason: Error): void => {
      stopped ??= reason;
      reject(stopped);
      for (const question of questions.splice(0)) question.reject(stopped);
    };
    const exited = new Promise<void>((done) => worker.once('exit', () => done()));
    worker.on('error', (error) => {
      stop(new Error(`the embedded simulator stopped: ${error.message}`, { cause: error }));
    });
    worker.on('exit', () => stop(new Error('the embedded simulator has stopped')));
    worker.on('message', (reply: SimulatorWorkerReply) => {
      switch (reply.type) {
        case 'listening':
          resolve({
            url: reply.url,
            port: reply.port,
            truth: () =>
              new Promise((answered, failed) => {
                if (stopped !== undefined) return failed(stopped);
                questions.push({ resolve: answered, reject: failed });
                ask({ type: 'truth' });
              }),
            close() {
              ask({ type: 'close' });
              return exited;
            },
          });
          break;
        case 'failed':
          stop(new UserError(reply.code, reply.problems, reply.exitCode));
          break;
        case 'truth':
          questions.shift()?.resolve(reply.entries);
          break;
        default: {
          const impossible: never = reply;
          throw new Error(`unknown reply: ${JSON.stringify(impossible)}`);
        }
      }
    });
  });
}
