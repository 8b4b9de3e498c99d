import type { Command, Help, Option } from 'commander';
import { EXIT_MEANING, UserError } from '../model/errors.ts';
import { suggest } from '../model/suggestions.ts';

/** One example of a command's help. */
interface Example {
  /** Without the program's name. */
  words: string;
  /** What it does. */
  does: string;
}

/** Adds examples to the end of a command's help. */
export function addExamples(command: Command, ...examples: readonly Example[]): void {
  const lines = examples.flatMap(({ words, does }) => [`  # ${does}`, `  streambench ${words}`]);
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** Settings for the help of every command. */
export const HELP_SETTINGS: Partial<Help> = { optionDescription, showGlobalOptions: true };

/** An option's description with its default. An empty list, the default of a repeatable option, is left out. */
function optionDescription({ description, defaultValue }: Option): string {
  const hasDefault =
    defaultValue !== undefined && typeof defaultValue !== 'boolean' && !Array.isArray(defaultValue);
  return hasDefault ? `${description} (default: ${defaultValue})` : description;
}

/** The list of exit codes, for the end of the program's help. */
export function exitCodesHelp(): string {
  const rows = Object.entries(EXIT_MEANING).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return `\nExit codes:\n${rows.join('\n')}`;
}

/** Adds `help`. Commander's own prints the whole help for an unknown command, without an error. */
export function addHelpCommand(root: Command): void {
  root
    .command('help')
    .description('show the help of a command')
    .argument('[command]')
    .action((name: string | undefined) => {
      if (name === undefined) return root.help();
      const command = root.commands.find((one) => one.name() === name);
      if (command !== undefined) return command.help();
      throw new UserError('usage', {
        message: `unknown command ${JSON.stringify(name)}`,
        hint: suggest(
          name,
          root.commands.map((one) => one.name()),
        ),
      });
    });
}
