import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { ClientOptions } from '../client/client.ts';
import { type ErrorCode, type ExitCode, type Problem, UserError } from '../model/errors.ts';
import type { Upstream } from './agent/upstream.ts';
import { createToken } from './http/auth.ts';
import type { ServiceOptions } from './service-options.ts';

/** A model behind an embedded service, as data: the client is made where the service runs. */
export interface UpstreamSettings extends Omit<Upstream, 'client'> {
  client: Omit<ClientOptions, 'clock'>;
}

/** Settings of an embedded service. Its clock, its log and its tools are its own. */
export interface EmbeddedServiceOptions
  extends Omit<ServiceOptions, 'secret' | 'upstreams' | 'tools' | 'log' | 'clock'> {
  upstreams: readonly UpstreamSettings[];
  /** SQLite file of the message store. Default: a temporary one, which is removed at the end. */
  database?: string;
  /** Default: a random one. */
  secret?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Default `127.0.0.1`. */
  host?: string;
}

/** A service that runs beside the program. */
export interface EmbeddedService {
  /** Base of every address: `http://127.0.0.1:PORT`. */
  url: string;
  port: number;
  /** A token that it accepts, good for a day. */
  token: string;
  /** Lets streams end as `Service.close` does, and ends the process. */
  close(): Promise<void>;
}

/** What the process is told: its settings first, then to end. */
export type ProcessRequest =
  | { type: 'start'; options: EmbeddedServiceOptions; secret: string }
  | { type: 'close' };

/** What the process says. */
export type ProcessReply =
  | { type: 'listening'; url: string; port: number }
  /** `problems` and the codes are those of a `UserError`, which cannot cross a process as it is. */
  | { type: 'failed'; code: ErrorCode; problems: readonly Problem[]; exitCode: ExitCode }
  | { type: 'broken'; message: string };

const DRAIN_MS = 10_000;
const GRACE_MS = 3_000;

/**
 * Starts a service in a process of its own, so that it neither slows a client in this program nor is slowed by it, and
 * the memory that it reports is its own. It ends with this program, however that ends. Run from TypeScript sources it
 * shares this process instead, because another one needs the compiled file. Rejects with a `UserError` when the port is
 * taken or the store cannot be opened.
 */
export async function startEmbeddedService(options: EmbeddedServiceOptions): Promise<EmbeddedService> {
  const secret = options.secret ?? randomBytes(32).toString('base64url');
  const token = await createToken(secret);
  const { url, port, close } = import.meta.url.endsWith('.ts')
    ? await (await import('./in-process.ts')).startInProcess(options, secret)
    : await startProcess(options, secret);
  return { url, port, token, close };
}

function startProcess(
  options: EmbeddedServiceOptions,
  secret: string,
): Promise<Omit<EmbeddedService, 'token'>> {
  const child = fork(new URL('./process.js', import.meta.url), {
    // What this program was started with (a profiler, an inspector's port) is not meant for another. Every stream waits
    // while garbage is collected: a small young generation is collected often, in 1.4 ms on average instead of 5.
    execArgv: ['--max-semi-space-size=2'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const tell = (request: ProcessRequest) => child.send(request);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`the embedded service did not start: ${error.message}`)));
    child.once('exit', (code) => reject(new Error(`the embedded service ended by itself (${code})`)));
    child.once('message', (reply: ProcessReply) => {
      switch (reply.type) {
        case 'listening':
          resolve({
            url: reply.url,
            port: reply.port,
            close() {
              if (child.connected) tell({ type: 'close' });
              // Nothing of a run may stay behind, not even a process that has come to a halt.
              const timer = setTimeout(() => child.kill('SIGKILL'), (options.drainMs ?? DRAIN_MS) + GRACE_MS);
              return exited.finally(() => clearTimeout(timer));
            },
          });
          break;
        case 'failed':
          reject(new UserError(reply.code, reply.problems, reply.exitCode));
          break;
        case 'broken':
          reject(new Error(`the embedded service failed: ${reply.message}`));
          break;
        default:
          reply satisfies never;
      }
    });
    tell({ type: 'start', options, secret });
  });
}
