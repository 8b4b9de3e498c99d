import { Worker } from 'node:worker_threads';
import { UserError } from '../model/errors.ts';
import { createSimulator, type SimulatorOptions } from './simulator.ts';
import type { TruthEntry } from './truth.ts';
import type { SimulatorWorkerReply, SimulatorWorkerRequest, SimulatorWorkerSettings } from './worker.ts';

/** Settings of an embedded simulator. It always uses the machine's clock. */
export interface EmbeddedOptions extends Omit<SimulatorOptions, 'clock' | 'ownThread'> {
  /** Default 0: any free port. */
  port?: number;
  /** Default `127.0.0.1`. */
  host?: string;
}

/** A simulator started by this program. */
export interface EmbeddedSimulator {
  /** Base of every address: `http://127.0.0.1:PORT`. */
  url: string;
  port: number;
  /** Aborts open answers and ends the thread. */
  close(): Promise<void>;
  /** The requests that have ended, in order of their end. */
  truth(): Promise<readonly TruthEntry[]>;
}

/**
 * Starts a simulator on its own thread, so that the simulator and a client in this program do not slow each other. When run
 * from TypeScript sources it shares this thread, because a worker needs the compiled file. Rejects with a `UserError` if the
 * port is in use.
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

interface PendingReply {
  resolve(entries: readonly TruthEntry[]): void;
  reject(reason: Error): void;
}

function startWorker(settings: SimulatorWorkerSettings): Promise<EmbeddedSimulator> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: settings });
  const pending: PendingReply[] = [];
  const ask = (request: SimulatorWorkerRequest): void => worker.postMessage(request);
  let stopped: Error | undefined;

  return new Promise((resolve, reject) => {
    const stop = (reason: Error): void => {
      stopped ??= reason;
      reject(stopped);
      for (const reply of pending.splice(0)) reply.reject(stopped);
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
                pending.push({ resolve: answered, reject: failed });
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
          pending.shift()?.resolve(reply.entries);
          break;
        default: {
          const impossible: never = reply;
          throw new Error(`unknown reply: ${JSON.stringify(impossible)}`);
        }
      }
    });
  });
}
