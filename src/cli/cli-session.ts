import type { Command } from 'commander';
import type { ExitCode } from '../model/errors.ts';
import { createRedactor } from '../model/redaction/redactor.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { forTerminal, jsonText } from '../model/visible.ts';
import { type ColorLevel, colorLevel, terminalWidth } from './terminal.ts';

/** Adds a command, or several, to the program. `open` gives it its session when it runs. */
export type AddCommand = (root: Command, open: () => Session) => void;

/** Options that every command takes. */
export interface CommonOptions {
  color?: boolean;
  quiet?: boolean;
  verbose?: boolean;
}

/** What a command has of the outside: its only way to print. */
export interface Session {
  env: Readonly<Record<string, string | undefined>>;
  stderr: NodeJS.WriteStream;
  /** Columns of stdout. */
  width: number;
  /** Colour on stdout and on stderr. */
  color: { stdout: ColorLevel; stderr: ColorLevel };
  quiet: boolean;
  verbose: boolean;
  /** The result, on stdout. */
  print(text: string): void;
  /** The result as an indented JSON document, on stdout. */
  printJson(value: unknown): void;
  /** A remark for the person, on stderr; nothing with --quiet. */
  say(text: string): void;
  /** A warning or an error, on stderr. */
  warn(text: string): void;
  /** A warning, on stderr, said to be one. */
  warning(text: string): void;
  /** A text as it may be shown on stderr: for a display that writes there by itself. */
  shown(text: string): string;
  /** Hides these secrets in everything that is printed from now on. */
  hide(secrets: readonly Secret[]): void;
  exitCode: ExitCode;
}

// The runners of GitHub and Azure obey lines of a log that begin like this, and a name may hold a line break.
const CI_COMMAND = /(?<=^[ \t]*)(?=::|##(?:vso)?\[)/gm;

/** What a session writes to and reads: the process, or a part of it that a test made. */
export type SessionStreams = Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr'>;

/** A session on these streams. `secrets` are those that are known from the start. */
export function openSession(
  { env, stdout, stderr }: SessionStreams,
  options: CommonOptions,
  secrets: readonly Secret[] = [],
): Session {
  let hidden = secrets;
  let redactor = createRedactor(hidden);
  const quiet = options.quiet ?? false;
  // commander's --no-color makes `color` false and otherwise true: only false is a wish.
  const flag = options.color === false ? { flag: false } : {};
  const color = {
    stdout: colorLevel({ env, isTTY: stdout.isTTY === true, ...flag }),
    stderr: colorLevel({ env, isTTY: stderr.isTTY === true, ...flag }),
  };
  // Everything that is printed passes here, whatever was done to it before.
  const print = (text: string) =>
    void stdout.write(forTerminal(redactor.text(text), { color: color.stdout > 0 }));
  const shown = (text: string) =>
    forTerminal(redactor.text(text), { color: color.stderr > 0 }).replaceAll(CI_COMMAND, '\\');
  return {
    env,
    stderr,
    width: terminalWidth(stdout, env),
    color,
    quiet,
    verbose: options.verbose ?? false,
    print,
    printJson: (value) => print(`${jsonText(value, 2)}\n`),
    say: (text) => {
      if (!quiet) stderr.write(`${shown(text)}\n`);
    },
    warn: (text) => void stderr.write(`${shown(text)}\n`),
    warning: (text) => void stderr.write(`${shown(`warning: ${text}`)}\n`),
    shown,
    hide(more) {
      hidden = [...hidden, ...more];
      redactor = createRedactor(hidden);
    },
    exitCode: 0,
  };
}
