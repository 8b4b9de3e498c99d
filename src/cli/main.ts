import { Chalk } from 'chalk';
import { CommanderError } from 'commander';
import { EXIT, EXIT_MEANING, type ExitCode, UserError } from '../model/errors.ts';
import { type CliSession, type CommonOptions, openCliSession } from './cli-session.ts';
import { joinCurlWords } from './commands/init.ts';
import { loadFailure } from './failures.ts';
import { argumentSecrets, environmentSecrets, pastedSecrets } from './own-secrets.ts';
import { createProgram } from './program.ts';
import { startSmall } from './small-heap.ts';

/** Runs the program with these arguments (node and script first) and ends the process. */
export async function main(words: readonly string[]): Promise<void> {
  startSmall();
  const argv = joinCurlWords(words);
  const secrets = [
    ...environmentSecrets(process.env),
    ...argumentSecrets(argv.slice(2)),
    ...(await pastedSecrets(argv.slice(2))),
  ];
  let session = openCliSession(process, {}, secrets);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader closed the pipe (`| head`), which is not an error.
    if (error.code === 'EPIPE') process.exit(session.exitCode);
    session.warn(`error: cannot write the output: ${error.message}`);
    process.exit(EXIT.unexpected);
  });
  // A failing stderr must not lose the result.
  process.stderr.on('error', () => {});
  const open = (options: CommonOptions): CliSession => {
    session = openCliSession(process, options, secrets);
    return session;
  };
  try {
    await createProgram(open, () => session).parseAsync(argv);
  } catch (error) {
    session.exitCode = explain(error, session);
  }
  const code = session.exitCode;
  if (code !== EXIT.ok) session.warn(`exit ${code}: ${EXIT_MEANING[code]}`);
  await flushed();
  process.exit(code);
}

/** Prints the error and returns its exit code. */
function explain(error: unknown, session: CliSession): ExitCode {
  // commander has already printed the help, the version or its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const red = new Chalk({ level: session.color.stderr }).red;
  if (error instanceof UserError) {
    const count = error.problems.length;
    session.warn(
      count > 1
        ? `${red('error:')} ${count} problems\n${error.message}`
        : `${red('error:')} ${error.message}`,
    );
    return error.exitCode;
  }
  const reason = loadFailure(error);
  if (reason !== undefined) {
    session.warn(`${red('error:')} ${reason}`);
    return EXIT.usage;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  session.warn(`${red('unexpected error:')} ${session.verbose ? stack : stack.split('\n', 1)[0]}`);
  if (!session.verbose) session.warn('this is a bug in streambench; add --verbose for the stack trace');
  return EXIT.unexpected;
}

async function flushed(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise<void>((resolve) => stream.write('', () => resolve())),
    ),
  );
}
