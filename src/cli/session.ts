import type { ExitCode } from '../model/errors.ts';
import type { Redact } from '../model/secrets.ts';
import { type ColorLevel, colorLevel, terminalWidth } from './terminal.ts';

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
  /** A remark for the person, on stderr; nothing with --quiet. */
  say(text: string): void;
  /** A warning or an error, on stderr. */
  warn(text: string): void;
  /** Hides these secrets in everything that is printed from now on. */
  hide(redact: Redact): void;
  exitCode: ExitCode;
}

/** A session on the process's own streams. */
export function processSession(options: CommonOptions): Session {
  const { env, stdout, stderr } = process;
  let redact: Redact = (text) => text;
  const line = (text: string) => `${redact(text)}\n`;
  const quiet = options.quiet ?? false;
  // commander's --no-color makes `color` false and otherwise true: only false is a wish.
  const flag = options.color === false ? { flag: false } : {};
  return {
    env,
    stderr,
    width: terminalWidth(stdout, env),
    color: {
      stdout: colorLevel({ env, isTTY: stdout.isTTY === true, ...flag }),
      stderr: colorLevel({ env, isTTY: stderr.isTTY === true, ...flag }),
    },
    quiet,
    verbose: options.verbose ?? false,
    print: (text) => void stdout.write(redact(text)),
    say: (text) => {
      if (!quiet) stderr.write(line(text));
    },
    warn: (text) => void stderr.write(line(text)),
    hide(next) {
      const before = redact;
      redact = (text) => next(before(text));
    },
    exitCode: 0,
  };
}
