import type { SideCommand, TwoServers } from '../bench/ab/two-servers.ts';
import { UserError } from '../model/errors.ts';
import { parseDuration } from '../scenario/size-and-duration.ts';
import type { CliSession } from './cli-session.ts';
import { onInterrupt } from './interrupt.ts';
import type { RunHooks } from './run-scenarios.ts';

/** The two servers that `ab` starts itself. */

/** The options for servers that are started, as commander delivers them. */
export interface CommandFlags {
  baseCommand?: string;
  newCommand?: string;
  url?: string;
  ready?: string;
  readyTimeout?: string;
}

/** Both command lines, and where the servers answer. */
export interface CommandSides {
  commands: { base: string; next: string };
  /** With `{port}`. */
  url: string;
  /** The sides with fixed ports: what the scenario's hash is computed from. */
  stable: { a: string; b: string };
}

const DEFAULT_URL = 'http://127.0.0.1:{port}/v1';
const READY_TIMEOUT_MS = 30_000;

/** The sides that are started by commands; undefined without commands. Throws a `UserError` (`usage`) for half of them. */
export function commandSides(
  a: string | undefined,
  b: string | undefined,
  { baseCommand, newCommand, url, ready, readyTimeout }: CommandFlags,
): CommandSides | undefined {
  const refuse = (message: string, hint: string): never => {
    throw new UserError('usage', { message, hint });
  };
  if (baseCommand === undefined && newCommand === undefined) {
    const only = { '--url': url, '--ready': ready, '--ready-timeout': readyTimeout };
    const [given] = Object.entries(only).find(([, value]) => value !== undefined) ?? [];
    if (given !== undefined)
      refuse(`${given} is only valid with --base-command and --new-command`, 'omit it, or add the commands');
    return undefined;
  }
  if (a !== undefined || b !== undefined)
    return refuse(
      `--base-command and --new-command take the place of the targets, but "${a}" is given`,
      'omit the targets; --url says where a started server takes requests',
    );
  if (baseCommand === undefined || newCommand === undefined)
    return refuse(
      `--${baseCommand === undefined ? 'base' : 'new'}-command is missing`,
      'give both commands, or two targets that are running already',
    );
  const template = url ?? DEFAULT_URL;
  if (!template.includes('{port}'))
    return refuse(
      `--url ${template} has no {port}: both servers would be measured at one address`,
      `write {port} in the place of the port, as in ${DEFAULT_URL}`,
    );
  return {
    commands: { base: baseCommand, next: newCommand },
    url: template,
    stable: { a: atPort(template, 1), b: atPort(template, 2) },
  };
}

/** Starts the servers, runs `measure` with their URLs, and ends the servers, whatever happens. */
export async function runWithServers(
  { commands, url }: CommandSides,
  { ready, readyTimeout, dryRun }: CommandFlags & { dryRun?: boolean },
  session: CliSession,
  measure: (urls: { base: string; next: string }, hooks: RunHooks) => Promise<void>,
): Promise<void> {
  const { freePorts, startTwoServers } = await import('../bench/ab/two-servers.ts');
  const [basePort = 0, newPort = 0] = await freePorts(2);
  const urls = { base: atPort(url, basePort), next: atPort(url, newPort) };
  if (dryRun) return measure(urls, {});
  const interrupt = onInterrupt((message) => session.warn(message));
  let servers: TwoServers | undefined;
  try {
    const sides: SideCommand[] = [
      { name: 'base', command: commands.base, port: basePort, url: withoutModel(urls.base) },
      { name: 'new', command: commands.next, port: newPort, url: withoutModel(urls.next) },
    ];
    session.say(`starting two servers on ports ${basePort} (base) and ${newPort} (new)`);
    servers = await startTwoServers({
      sides,
      ready,
      readyTimeoutMs:
        readyTimeout === undefined ? READY_TIMEOUT_MS : (parseDuration(readyTimeout) ?? READY_TIMEOUT_MS),
      env: process.env,
      secrets: session.secrets(),
      signal: interrupt.signals.drain,
    });
    const code = interrupt.exitCode();
    if (code !== undefined) {
      session.exitCode = code;
      return;
    }
    const started = servers;
    await measure(urls, {
      interrupt,
      stop: started.lost,
      planned: (folder) => started.keepLogs(folder),
      // Its servers are gone: such a run cannot be continued.
      isResumable: false,
    });
    if (interrupt.exitCode() === undefined) started.check();
  } finally {
    await servers?.stop();
    interrupt.dispose();
  }
}

function atPort(url: string, port: number): string {
  return url.replaceAll('{port}', String(port));
}

function withoutModel(url: string): string {
  return url.split('#', 1)[0] ?? url;
}
