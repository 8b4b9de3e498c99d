import { createServer } from 'node:net';
import { EXIT, UserError } from '../../model/errors.ts';
import { formatTimeLimit } from '../../model/format.ts';
import { createRedactor } from '../../model/redaction/redactor.ts';
import type { Secret } from '../../model/redaction/secrets.ts';
import { untilReady } from './ready.ts';
import { type ServerExit, type ServerProcess, startServer } from './server-process.ts';

/** The two servers of `ab` with commands. */

/** One side. */
export interface SideCommand {
  /** `base` or `new`. */
  name: 'base' | 'new';
  /** For the shell; `{port}` stands for the port. */
  command: string;
  port: number;
  /** Where requests will go. */
  url: string;
}

/** How the servers are started. */
export interface TwoServersOptions {
  sides: readonly SideCommand[];
  /** A URL, in which `{port}` is replaced, or a path at the side's URL. Default: any response to a GET of the endpoint. */
  ready?: string;
  readyTimeoutMs: number;
  env: Readonly<Record<string, string | undefined>>;
  /** Hidden in logs and messages. */
  secrets: readonly Secret[];
  /** Aborted: stop waiting. */
  signal: AbortSignal;
}

/** Both servers, ready. */
export interface TwoServers {
  /** Keeps the servers' output in this folder, as `base.log` and `new.log`. */
  keepLogs(folder: string): void;
  /** Aborted when a server ends by itself; the reason is a sentence. */
  readonly lost: AbortSignal;
  /** Throws a `UserError` (exit 7) if a server ended by itself. */
  check(): void;
  /** Ends both. */
  stop(): Promise<void>;
}

/** As many free ports of the loopback interface. Another process may take one before the server does, which then says so. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(
      servers.map(
        (server) =>
          new Promise<number>((resolve, reject) => {
            server.once('error', reject);
            server.listen(0, '127.0.0.1', () => {
              const address = server.address();
              if (typeof address === 'object' && address !== null) resolve(address.port);
            });
          }),
      ),
    );
  } finally {
    await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }
}

/**
 * Starts both servers and waits until both are ready. Rejects with a `UserError`, and leaves no process behind, if one cannot be
 * started (`usage`), ends, or is not ready in time (`unreachable`).
 */
export async function startTwoServers(options: TwoServersOptions): Promise<TwoServers> {
  const redactor = createRedactor(options.secrets);
  const started = options.sides.map((side) => ({
    side,
    server: startServer({
      name: side.name,
      command: side.command.replaceAll('{port}', String(side.port)),
      env: { ...options.env, PORT: String(side.port) },
      redactor,
    }),
  }));
  const stop = async () => void (await Promise.all(started.map(({ server }) => server.stop())));
  const lost = new AbortController();
  let isStopping = false;
  for (const { side, server } of started) {
    void server.ended.then((exit) => {
      if (!isStopping) lost.abort(`the ${side.name} server ended: ${exitInWords(exit)}`);
    });
  }
  const check = () => {
    for (const { side, server } of started) {
      const exit = server.exit();
      if (exit !== undefined) throw endedError(side, server, exit);
    }
  };
  try {
    const signal = AbortSignal.any([options.signal, lost.signal]);
    await Promise.all(started.map((one) => awaitReady(one, { ...options, signal }, check)));
  } catch (error) {
    isStopping = true;
    await stop();
    throw error;
  }
  return {
    keepLogs: (folder) => {
      for (const { server } of started) server.log.keepIn(folder);
    },
    lost: lost.signal,
    check: () => {
      if (lost.signal.aborted) check();
    },
    async stop() {
      isStopping = true;
      await stop();
    },
  };
}

async function awaitReady(
  { side, server }: { side: SideCommand; server: ServerProcess },
  { ready, readyTimeoutMs, signal }: TwoServersOptions,
  check: () => void,
): Promise<void> {
  const url = new URL(ready?.replaceAll('{port}', String(side.port)) ?? side.url, side.url).href;
  const missing = await untilReady(
    { url, mustSucceed: ready !== undefined },
    { timeoutMs: readyTimeoutMs, signal },
  );
  check();
  if (missing === undefined || signal.aborted) return;
  const lines = lastLines(server);
  throw new UserError(
    'unreachable',
    {
      message: `the ${side.name} server was not ready within ${formatTimeLimit(readyTimeoutMs)}: ${missing}${lines}`,
      place: { file: `--${side.name}-command` },
      hint: `it must listen on port ${side.port} ({port}, or PORT in its environment); if it needs longer: --ready-timeout`,
    },
    EXIT.unreachable,
  );
}

// A shell's exit codes for a command that it cannot find, or not execute.
const NOT_STARTED = new Set<number | null>([126, 127]);

function endedError(side: SideCommand, server: ServerProcess, exit: ServerExit): UserError {
  const notStarted = NOT_STARTED.has(exit.code);
  const what = notStarted ? 'could not be started' : 'ended by itself';
  return new UserError(
    notStarted ? 'usage' : 'unreachable',
    {
      message: `the ${side.name} server ${what} (${exitInWords(exit)})${lastLines(server)}`,
      place: { file: `--${side.name}-command` },
      hint: notStarted
        ? 'check the command; it is run by the shell, in this folder'
        : `run it by hand to see why: PORT=${side.port} ${side.command.replaceAll('{port}', String(side.port))}`,
    },
    notStarted ? EXIT.usage : EXIT.unreachable,
  );
}

function lastLines({ log }: ServerProcess): string {
  const lines = log.lastLines();
  return lines.length === 0 ? '; it printed nothing' : `; its last output: ${lines.join(' | ')}`;
}

function exitInWords({ code, signal }: ServerExit): string {
  return signal === null ? `exit code ${code}` : signal;
}
