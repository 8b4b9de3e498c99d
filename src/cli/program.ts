import { Command, type Option } from 'commander';
import { packageVersion } from '../bench/environment.ts';
import { EXIT_MEANING, UserError } from '../model/errors.ts';
import { suggest } from '../model/suggestions.ts';
import type { CommonOptions, Session } from './cli-session.ts';
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

/**
 * The program with all of its commands. `open` gives a command its session when it runs; what the parser says of a mistake,
 * which repeats the words of the command line, is printed through `current`.
 */
export function createProgram(
  open: (options: CommonOptions) => Session,
  current: () => Pick<Session, 'print' | 'warn'>,
): Command {
  const root = new Command('streambench')
    .description('Streaming benchmark and TTFB profiler for LLM and Server-Sent-Events endpoints.')
    .version(packageVersion(), '-V, --version')
    .option('--no-color', 'no colour, also on a terminal')
    .option('-q, --quiet', 'no progress and no remarks: warnings and errors alone go to stderr')
    .option('-v, --verbose', 'say more on stderr')
    .configureHelp({ optionDescription })
    .helpCommand(false)
    .showHelpAfterError('(--help shows what there is)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => current().print(text),
      writeErr: (text) => current().warn(text.trimEnd()),
    })
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
  addHelp(root);
  return root;
}

// Commander's own help command answers an unknown name with the whole help, and no word of what was wrong.
function addHelp(root: Command): void {
  root
    .command('help')
    .description('show the help of a command')
    .argument('[command]')
    .action((name: string | undefined) => {
      const names = root.commands.map((command) => command.name());
      const command = name === undefined ? root : root.commands.find((one) => one.name() === name);
      if (command !== undefined) return command.help();
      throw new UserError('usage', {
        message: `unknown command ${JSON.stringify(name)}`,
        hint: suggest(name!, names),
      });
    });
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
