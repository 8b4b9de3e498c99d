import { Chalk } from 'chalk';
import { CommanderError } from 'commander';
import { EXIT, EXIT_MEANING, type ExitCode, UserError } from '../model/errors.ts';
import { type CommonOptions, openSession, type Session } from './cli-session.ts';
import { loadFailure } from './failures.ts';
import { argumentSecrets, environmentSecrets } from './own-secrets.ts';
import { createProgram } from './program.ts';

/** Runs the program with these arguments (node and script first) and ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const secrets = [...environmentSecrets(process.env), ...argumentSecrets(argv.slice(2))];
  let session = openSession(process, {}, secrets);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (`| head`) is no error.
    if (error.code === 'EPIPE') process.exit(session.exitCode);
    session.warn(`error: the output cannot be written: ${error.message}`);
    process.exit(EXIT.unexpected);
  });
  // Remarks that find no room must not cost the result.
  process.stderr.on('error', () => {});
  const open = (options: CommonOptions): Session => {
    session = openSession(process, options, secrets);
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

/** Tells the person what went wrong; returns the exit code it deserves. */
function explain(error: unknown, session: Session): ExitCode {
  // commander has printed help, version or its own message already.
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
  if (!session.verbose) session.warn('this is a fault of streambench; --verbose shows where');
  return EXIT.unexpected;
}

async function flushed(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise<void>((resolve) => stream.write('', () => resolve())),
    ),
  );
}
