import { Command } from 'commander';
import { type AddCommand, openCliSession } from '../../src/cli/cli-session.ts';

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
  const collector = (name: 'stdout' | 'stderr', columns?: number) =>
    ({
      isTTY: false,
      columns,
      write(text: string) {
        outcome[name] += text;
        return true;
      },
    }) as unknown as NodeJS.WriteStream & { fd: 1 & 2 };
  const session = openCliSession(
    { env: options.env ?? {}, stdout: collector('stdout', options.width ?? 80), stderr: collector('stderr') },
    {},
  );
  const root = new Command('streambench').exitOverride();
  add(root, () => session);
  await root.parseAsync(['node', 'streambench', ...args]);
  outcome.code = session.exitCode;
  return outcome;
}
