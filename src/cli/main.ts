import { Chalk } from 'chalk';
import { Command, CommanderError, type Option } from 'commander';
import { packageVersion } from '../bench/environment.ts';
import { EXIT, EXIT_MEANING, type ExitCode, UserError } from '../model/errors.ts';
import { abCommand } from './commands/ab.ts';
import { compareCommand } from './commands/compare.ts';
import { doctorCommand } from './commands/doctor.ts';
import { listCommands } from './commands/lists.ts';
import { probeCommand } from './commands/probe.ts';
import { reportCommand } from './commands/report.ts';
import { runCommand } from './commands/run.ts';
import { serveCommand } from './commands/serve.ts';
import { simulateCommand } from './commands/simulate.ts';
import { validateCommand } from './commands/validate.ts';
import { loadFailure } from './load-failure.ts';
import { type CommonOptions, processSession, type Session } from './session.ts';

/** Runs the program with these arguments (node and script first) and ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  let session = processSession({});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (`| head`) is no error.
    if (error.code === 'EPIPE') process.exit(session.exitCode);
    session.warn(`error: the output cannot be written: ${error.message}`);
    process.exit(EXIT.unexpected);
  });
  // Remarks that find no room must not cost the result.
  process.stderr.on('error', () => {});
  const open = (options: CommonOptions): Session => {
    session = processSession(options);
    return session;
  };
  try {
    await program(open).parseAsync(argv);
  } catch (error) {
    session.exitCode = explain(error, session);
  }
  const code = session.exitCode;
  if (code !== EXIT.ok) session.warn(`exit ${code}: ${EXIT_MEANING[code]}`);
  await flushed();
  process.exit(code);
}

function program(open: (options: CommonOptions) => Session): Command {
  const root = new Command('streambench')
    .description('Streaming benchmark and TTFB profiler for LLM and Server-Sent-Events endpoints.')
    .version(packageVersion(), '-V, --version')
    .option('--no-color', 'no colour, also on a terminal')
    .option('-q, --quiet', 'no progress and no remarks: warnings and errors alone go to stderr')
    .option('-v, --verbose', 'say more on stderr')
    .configureHelp({ optionDescription })
    .helpCommand('help [command]', 'show the help of a command')
    .showHelpAfterError('(--help shows what there is)')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText('after', exitCodesHelp());
  for (const add of [
    runCommand,
    probeCommand,
    abCommand,
    compareCommand,
    reportCommand,
    validateCommand,
    doctorCommand,
    simulateCommand,
    serveCommand,
    listCommands,
  ]) {
    add(root, () => open(root.opts<CommonOptions>()));
  }
  return root;
}

/** An option's description with its default, where that says something: that nothing is repeated yet does not. */
function optionDescription({ description, defaultValue }: Option): string {
  const isKnown = defaultValue !== undefined && !Array.isArray(defaultValue);
  return isKnown ? `${description} (default: ${defaultValue})` : description;
}

function exitCodesHelp(): string {
  const rows = Object.entries(EXIT_MEANING).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return `\nExit codes:\n${rows.join('\n')}`;
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
