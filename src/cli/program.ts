import { Command } from 'commander';
import { packageVersion } from '../bench/environment.ts';
import type { AddCommand, CliSession, CommonOptions } from './cli-session.ts';
import { abCommand } from './commands/ab.ts';
import { baselineCommand } from './commands/baseline.ts';
import { compareCommand } from './commands/compare.ts';
import { completionCommand } from './commands/completion.ts';
import { doctorCommand } from './commands/doctor.ts';
import { historyCommand } from './commands/history.ts';
import { importCommand } from './commands/import.ts';
import { initCommand } from './commands/init.ts';
import { jobCommands } from './commands/jobs.ts';
import { listCommands } from './commands/lists.ts';
import { mergeCommand } from './commands/merge.ts';
import { probeCommand } from './commands/probe.ts';
import { recordCommand } from './commands/record.ts';
import { replayCommand } from './commands/replay.ts';
import { reportCommand } from './commands/report.ts';
import { runCommand } from './commands/run.ts';
import { serveCommand } from './commands/serve.ts';
import { simulateCommand } from './commands/simulate.ts';
import { sweepCommand } from './commands/sweep.ts';
import { validateCommand } from './commands/validate.ts';
import { exitCodesHelp, HELP_SETTINGS, helpCommand, topicsHelp } from './help.ts';

/** The commands, by the heading that they have in the help. */
const COMMANDS: Readonly<Record<string, readonly AddCommand[]>> = {
  'Measure:': [runCommand, probeCommand, sweepCommand, abCommand, recordCommand],
  'Evaluate:': [mergeCommand, importCommand, compareCommand, baselineCommand, historyCommand, reportCommand],
  'Prepare:': [initCommand, validateCommand, doctorCommand, jobCommands, listCommands],
  'Servers:': [simulateCommand, serveCommand, replayCommand],
  'Help:': [helpCommand, completionCommand],
};

/**
 * The program with all its commands. `open` creates the session of a command when it runs. `current` prints what the
 * parser reports: its messages repeat words of the command line, so secrets in them must be hidden.
 */
export function createProgram(
  open: (options: CommonOptions) => CliSession,
  current: () => Pick<CliSession, 'print' | 'warn'>,
): Command {
  const root = new Command('streambench')
    .description('Streaming benchmark and TTFB profiler for LLM and Server-Sent Events (SSE) endpoints.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .option('--no-color', 'disable colors, also on a terminal')
    .option('--ascii', 'draw with ASCII characters only, also on a terminal')
    .option('-q, --quiet', 'print only results, warnings and errors')
    .option('-v, --verbose', 'print the stack trace of an unexpected error')
    .helpOption('-h, --help', 'show this help')
    .configureHelp(HELP_SETTINGS)
    .helpCommand(false)
    .showHelpAfterError('(add --help for the list of options)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => current().print(text),
      writeErr: (text) => current().warn(text.trimEnd()),
    })
    .addHelpText('after', `${topicsHelp()}\n${exitCodesHelp()}`);
  for (const [heading, commands] of Object.entries(COMMANDS)) {
    root.commandsGroup(heading);
    for (const add of commands) add(root, () => open(root.opts<CommonOptions>()));
  }
  return root;
}
