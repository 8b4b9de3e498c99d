import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Override } from '../../scenario/overrides.ts';
import { choiceOption, collect, wholeOption } from './values.ts';

/** Options that say how connections are made, as commander delivers them. */
export interface ConnectionFlags {
  connection?: string;
  http?: string;
  streamsPerSession?: number;
  ca?: string;
  insecure?: boolean;
  proxy?: string;
  unix?: string;
  ip?: string;
  dns?: string;
  resolve?: string[];
}

/** Adds the options that say how connections are made. */
export function addConnectionOptions(command: Command): void {
  command
    .optionsGroup('Connections:')
    .addOption(
      choiceOption('--connection <use>', 'how long a connection lasts: warm, cold or per-request', [
        'warm',
        'cold',
        'per-request',
      ]),
    )
    .addOption(choiceOption('--http <version>', 'HTTP version: 1 or 2', ['1', '2']))
    .addOption(
      wholeOption('--streams-per-session <count>', 'HTTP/2: requests at once on one connection', { min: 1 }),
    )
    .option('--ca <file>', 'PEM certificates to trust beside the usual ones')
    .option('--insecure', 'accept any certificate')
    .option('--proxy <url>', 'an HTTP proxy, or env for what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say')
    .option('--unix <path>', "connect to this unix socket instead of the URL's host")
    .addOption(choiceOption('--ip <family>', 'IP version: 4, 6 or auto', ['4', '6', 'auto']))
    .addOption(
      choiceOption('--dns <when>', 'look names up for each connection, or once: each or once', [
        'each',
        'once',
      ]),
    )
    .option('--resolve <host:port:address>', 'an address that is not looked up; may be repeated', collect);
}

/** The edits to a scenario that the options about connections ask for. */
export function connectionOverrides(flags: ConnectionFlags): Override[] {
  const { connection, http, streamsPerSession, ca, insecure, proxy, unix, ip, dns, resolve: pins } = flags;
  // Paths on the command line begin where the user is, those of a scenario where it is.
  const path = (file: string | undefined) => (file === undefined ? undefined : resolve(file));
  const number = (text: string | undefined) => (text === undefined || text === 'auto' ? text : Number(text));
  const given: [string, unknown, string][] = [
    ['connection', connection, '--connection'],
    ['targets.*.http', number(http), '--http'],
    ['targets.*.streamsPerSession', streamsPerSession, '--streams-per-session'],
    ['targets.*.ca', path(ca), '--ca'],
    ['targets.*.insecure', insecure, '--insecure'],
    ['targets.*.proxy', proxy, '--proxy'],
    ['targets.*.unix', path(unix), '--unix'],
    ['targets.*.ip', number(ip), '--ip'],
    ['targets.*.dns', dns, '--dns'],
    ['targets.*.resolve', pins, '--resolve'],
  ];
  return given.flatMap(([to, value, from]) => (value === undefined ? [] : [{ path: to, value, from }]));
}
