import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Override } from '../../scenario/overrides.ts';
import { choiceOption, collect, wholeOption } from './values.ts';

/** The connection options, as commander delivers them. */
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

/** Adds the connection options. */
export function addConnectionOptions(command: Command): void {
  command
    .optionsGroup('Connections:')
    .addOption(
      choiceOption(
        '--connection <reuse>',
        'connection reuse: warm (opened in advance), cold or per-request',
        ['warm', 'cold', 'per-request'],
      ),
    )
    .addOption(choiceOption('--http <version>', 'HTTP version: 1 or 2', ['1', '2']))
    .addOption(
      wholeOption('--streams-per-session <count>', 'HTTP/2: concurrent requests per connection', { min: 1 }),
    )
    .option('--ca <file>', 'PEM file of certificates to trust in addition to the defaults')
    .option('--insecure', 'accept any TLS certificate')
    .option('--proxy <url>', 'HTTP proxy, or env to use HTTPS_PROXY, HTTP_PROXY and NO_PROXY')
    .option('--unix <path>', 'connect to this Unix socket instead of the host in the URL')
    .addOption(choiceOption('--ip <family>', 'IP version: 4, 6 or auto', ['4', '6', 'auto']))
    .addOption(
      choiceOption('--dns <when>', 'DNS lookup: each (for every connection) or once (per run)', [
        'each',
        'once',
      ]),
    )
    .option(
      '--resolve <host:port:address>',
      'connect to this address without a DNS lookup; repeatable',
      collect,
    );
}

/** The scenario overrides of the connection options. */
export function connectionOverrides(flags: ConnectionFlags): Override[] {
  const { connection, http, streamsPerSession, ca, insecure, proxy, unix, ip, dns, resolve: pins } = flags;
  // Relative paths start at the working directory on the command line, at the file's folder in a scenario.
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
