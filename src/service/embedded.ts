import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { ClientOptions } from '../client/client-options.ts';
import { type ErrorCode, type ExitCode, type Problem, UserError } from '../model/errors.ts';
import type { Upstream } from './agent/upstream.ts';
import { DEFAULT_SERVICE_LIMITS } from './defaults.ts';
import { createToken } from './http/auth.ts';
import type { ServiceOptions } from './service-options.ts';

/** A model behind an embedded service, as plain data: the client is created in the service's process. */
export interface UpstreamSettings extends Omit<Upstream, 'client'> {
  client: Omit<ClientOptions, 'clock'>;
}

/** Settings of an embedded service. It has its own clock and tools, and no log. */
export interface EmbeddedServiceOptions
  extends Omit<ServiceOptions, 'secret' | 'upstreams' | 'tools' | 'log' | 'clock'> {
  upstreams: readonly UpstreamSettings[];
  /** SQLite file of the message store. Default: a temporary file, removed when the service closes. */
  database?: string;
  /** Default: a random one. */
  secret?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Default `127.0.0.1`. */
  host?: string;
}

/** A running service in a process of its own. */
export interface EmbeddedService {
  /** Base URL: `http://127.0.0.1:PORT`. */
  url: string;
  port: number;
  /** A bearer token that it accepts, valid for a day. */
  token: string;
  /** Lets active streams end as `Service.close` does, then ends the process. */
  close(): Promise<void>;
}

/** A message to the process. `start` is the first one. */
export type ServiceRequest =
  | { type: 'start'; options: EmbeddedServiceOptions; secret: string }
  | { type: 'close' };

/** A message from the process. */
export type ServiceReply =
  | { type: 'listening'; url: string; port: number }
  /** The parts of a `UserError`, which itself cannot be sent between processes. */
  | { type: 'user-error'; code: ErrorCode; problems: readonly Problem[]; exitCode: ExitCode }
  | { type: 'failed'; message: string };

const GRACE_MS = 3_000;

/**
 * Starts a service in a process of its own: it does not compete with a client in this process, and the memory that it
 * reports is its own. It ends when this process ends, also when this one is killed. When run from TypeScript sources, the
 * service shares this process, because a child process needs the compiled file. Rejects with a `UserError` when the port
 * is taken or the store cannot be opened.
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
    // Replaces the options of this process, such as a profiler or an inspector's port. Garbage collection stops all
    // streams. The young generation is smaller than Node's default, so that a collection is short; with 2 MB it took a
    // fifth of the CPU time at 100 streams.
    execArgv: ['--max-semi-space-size=8'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const send = (request: ServiceRequest) => child.send(request);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`the embedded service did not start: ${error.message}`)));
    child.once('exit', (code) =>
      reject(new Error(`the embedded service ended unexpectedly (exit code ${code})`)),
    );
    child.once('message', (reply: ServiceReply) => {
      switch (reply.type) {
        case 'listening':
          resolve({
            url: reply.url,
            port: reply.port,
            close() {
              if (child.connected) send({ type: 'close' });
              // A process that hangs must not outlive the run.
              const timer = setTimeout(
                () => child.kill('SIGKILL'),
                (options.drainMs ?? DEFAULT_SERVICE_LIMITS.drainMs) + GRACE_MS,
              );
              return exited.finally(() => clearTimeout(timer));
            },
          });
          break;
        case 'user-error':
          reject(new UserError(reply.code, reply.problems, reply.exitCode));
          break;
        case 'failed':
          reject(new Error(`the embedded service failed: ${reply.message}`));
          break;
        default:
          reply satisfies never;
      }
    });
    send({ type: 'start', options, secret });
  });
}
