import { type ChildProcess, spawn } from 'node:child_process';
import type { Redactor } from '../../model/redaction/redactor.ts';
import { type ServerLog, serverLog } from './server-log.ts';

/** How a process ended. */
export interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A server that a command line started, in a process group of its own. */
export interface ServerProcess {
  readonly log: ServerLog;
  /** How it ended; undefined while it runs. */
  exit(): ServerExit | undefined;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<ServerExit>;
  /** Ends the whole group: SIGTERM, then SIGKILL after `STOP_MS`. Resolves when it has ended. */
  stop(): Promise<void>;
}

/** Time between SIGTERM and SIGKILL, in ms. */
const STOP_MS = 5_000;
/** Time for the system to remove killed processes, in ms. */
const KILL_MS = 1_000;
const POLL_MS = 20;

/** How a command line is started. */
export interface ServerCommand {
  /** Name of the log file, without `.log`. */
  name: string;
  /** For the shell. */
  command: string;
  env: Readonly<Record<string, string | undefined>>;
  redactor: Redactor;
}

// A shell that is given one command replaces itself by it; one that stays passes nothing on, so the group is signalled.
const HAS_GROUPS = process.platform !== 'win32';

/** Starts a server. Whatever ends this process ends the server too, as long as it is not SIGKILL. */
export function startServer({ name, command, env, redactor }: ServerCommand): ServerProcess {
  const log = serverLog(name, redactor);
  const child = spawn(command, {
    shell: true,
    detached: HAS_GROUPS,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env },
  });
  child.stdout.on('data', (bytes: Buffer) => log.write(bytes));
  child.stderr.on('data', (bytes: Buffer) => log.write(bytes));
  let exit: ServerExit | undefined;
  const killGroup = () => signalGroup(child, 'SIGKILL');
  process.on('exit', killGroup);
  const ended = new Promise<ServerExit>((resolve) => {
    const end = (found: ServerExit) => {
      exit ??= found;
      resolve(exit);
    };
    child.on('exit', (code, signal) => end({ code, signal }));
    child.on('error', (error) => {
      log.write(Buffer.from(`${error.message}\n`));
      end({ code: 127, signal: null });
    });
  });
  return {
    log,
    ended,
    exit: () => exit,
    async stop() {
      if (signalGroup(child, 'SIGTERM') && !(await groupEnded(child, STOP_MS))) {
        killGroup();
        await groupEnded(child, KILL_MS);
      }
      process.off('exit', killGroup);
      await log.close();
    },
  };
}

/** False where no process of the group is left. */
function signalGroup({ pid, killed }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined || (killed && !HAS_GROUPS)) return false;
  try {
    return process.kill(HAS_GROUPS ? -pid : pid, signal);
  } catch {
    return false;
  }
}

/** Polls, because only the first process of the group reports its end. Resolves with false after the time limit. */
async function groupEnded(child: ChildProcess, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += POLL_MS) {
    if (!signalGroup(child, 0)) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return !signalGroup(child, 0);
}
