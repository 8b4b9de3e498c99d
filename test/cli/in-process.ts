import { Command } from 'commander';
import type { AddCommand } from '../../src/cli/command.ts';
import type { Session } from '../../src/cli/session.ts';
import type { Redact } from '../../src/model/secrets.ts';

/** What a command left behind. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs one command in this process, on a session of text. What it throws is passed on. */
export async function runCommand(
  add: AddCommand,
  args: readonly string[],
  options: { env?: Record<string, string>; width?: number } = {},
): Promise<Outcome> {
  const outcome: Outcome = { code: 0, stdout: '', stderr: '' };
  let redact: Redact = (text) => text;
  const session: Session = {
    env: options.env ?? {},
    stderr: {
      isTTY: false,
      write(text: string) {
        outcome.stderr += redact(text);
        return true;
      },
    } as NodeJS.WriteStream,
    width: options.width ?? 80,
    color: { stdout: 0, stderr: 0 },
    quiet: false,
    verbose: false,
    print(text) {
      outcome.stdout += redact(text);
    },
    say(text) {
      outcome.stderr += `${redact(text)}\n`;
    },
    warn(text) {
      outcome.stderr += `${redact(text)}\n`;
    },
    hide(next) {
      const before = redact;
      redact = (text) => next(before(text));
    },
    exitCode: 0,
  };
  const root = new Command('streambench').exitOverride();
  add(root, () => session);
  await root.parseAsync(['node', 'streambench', ...args]);
  outcome.code = session.exitCode;
  return outcome;
}
