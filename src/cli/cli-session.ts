import type { Command } from 'commander';
import type { ExitCode } from '../model/errors.ts';
import { createRedactor } from '../model/redaction/redactor.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { forTerminal, jsonText } from '../model/visible.ts';
import { inAscii } from '../report/terminal/strip.ts';
import { type ColorLevel, colorLevel, terminalWidth } from './terminal.ts';

/** Adds one or more commands to the program. A command calls `open` when it runs. */
export type AddCommand = (root: Command, open: () => CliSession) => void;

/** The global options. */
export interface CommonOptions {
  color?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  ascii?: boolean;
}

/** The environment of a running command. Commands print only through it. */
export interface CliSession {
  env: Readonly<Record<string, string | undefined>>;
  stderr: NodeJS.WriteStream;
  /** Width of stdout in columns. */
  width: number;
  /** Color levels of the two streams. */
  color: { stdout: ColorLevel; stderr: ColorLevel };
  quiet: boolean;
  verbose: boolean;
  /** Draw with ASCII characters only: `--ascii`, or a terminal that is `dumb`. */
  ascii: boolean;
  /** Prints the result to stdout. */
  print(text: string): void;
  /** Prints the result to stdout as indented JSON. */
  printJson(value: unknown): void;
  /** Prints a message to stderr; nothing with --quiet. */
  say(text: string): void;
  /** Prints a warning or an error to stderr. */
  warn(text: string): void;
  /** Prints `warning: TEXT` to stderr. */
  warning(text: string): void;
  /** Calls this before each message to stderr, so that a live view can make room for it. Undefined ends that. */
  beforeMessage(hook: (() => void) | undefined): void;
  /** Makes a text safe for stderr; for a display that writes to stderr itself. */
  shown(text: string): string;
  /** Redacts these secrets in everything printed from now on. */
  hide(secrets: readonly Secret[]): void;
  /** The secrets that are redacted. */
  secrets(): readonly Secret[];
  exitCode: ExitCode;
}

// GitHub and Azure runners execute log lines that start like this, and a name may contain a line break.
const CI_COMMAND = /(?<=^[ \t]*)(?=::|##(?:vso)?\[)/gm;

/** The part of the process that a session uses. */
type SessionStreams = Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr'>;

/** Opens a session on these streams. `secrets` are redacted from the start. */
export function openCliSession(
  { env, stdout, stderr }: SessionStreams,
  options: CommonOptions,
  secrets: readonly Secret[] = [],
): CliSession {
  let hidden = secrets;
  let redactor = createRedactor(hidden);
  const quiet = options.quiet ?? false;
  // Without --no-color commander sets `color` to true, which is not a request for color.
  const flag = options.color === false ? false : undefined;
  const color = {
    stdout: colorLevel({ env, isTTY: stdout.isTTY === true, flag }),
    stderr: colorLevel({ env, isTTY: stderr.isTTY === true, flag }),
  };
  // Everything printed to stdout passes through here.
  const print = (text: string) =>
    void stdout.write(forTerminal(redactor.text(text), { color: color.stdout > 0 }));
  const ascii = options.ascii === true || env.TERM === 'dumb';
  const shown = (text: string) => {
    const safe = forTerminal(redactor.text(text), { color: color.stderr > 0 }).replaceAll(CI_COMMAND, '\\');
    return ascii ? inAscii(safe) : safe;
  };
  let makeRoom: (() => void) | undefined;
  const message = (text: string) => {
    makeRoom?.();
    stderr.write(`${shown(text)}\n`);
  };
  return {
    env,
    stderr,
    width: terminalWidth(stdout, env),
    color,
    quiet,
    verbose: options.verbose ?? false,
    ascii,
    print,
    printJson: (value) => print(`${jsonText(value, 2)}\n`),
    say: (text) => {
      if (!quiet) message(text);
    },
    warn: message,
    warning: (text) => message(`warning: ${text}`),
    beforeMessage(hook) {
      makeRoom = hook;
    },
    shown,
    hide(more) {
      hidden = [...hidden, ...more];
      redactor = createRedactor(hidden);
    },
    secrets: () => hidden,
    exitCode: 0,
  };
}
