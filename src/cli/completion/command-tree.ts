import type { Argument, Command, Option } from 'commander';

/** What completion scripts offer, read from the program's own commands, options and choices. */

/** What can follow an option or stand as an argument. `text`: nothing to offer. */
export type Value =
  | { kind: 'words' | 'list'; words: readonly string[] }
  | { kind: 'files' }
  | { kind: 'text' };

/** An option of a command. */
export interface CompletedOption {
  /** `--requests`; absent for an option with a short name only. */
  long?: string;
  /** `-n`. */
  short?: string;
  description: string;
  /** Absent for an option without a value. */
  value?: Value;
  repeatable: boolean;
}

/** A command with all that can follow it. */
export interface CompletedCommand {
  /** Its words after the program's name; empty for the program itself. */
  path: readonly string[];
  description: string;
  options: readonly CompletedOption[];
  /** For each position; the last one repeats if it is variadic. */
  args: readonly Value[];
  variadic: boolean;
  subcommands: readonly { name: string; description: string }[];
}

/** Words for options and arguments whose choices are not part of the parser, by the name in `<...>` or the option. */
export type KnownWords = Readonly<Record<string, readonly string[]>>;

/** The program and all its commands. */
export function completedCommands(root: Command, known: KnownWords): CompletedCommand[] {
  const shared = optionsOf(root, known);
  const visit = (command: Command, path: readonly string[]): CompletedCommand[] => {
    const own = path.length === 0 ? [] : optionsOf(command, known);
    const visible = command.commands.filter((one) => !isHidden(one));
    return [
      {
        path,
        description: command.description(),
        options: [...own, ...shared, HELP],
        args: command.registeredArguments.map((argument) => completedValue(argument, known)),
        variadic: command.registeredArguments.at(-1)?.variadic === true,
        subcommands: visible.map((one) => ({ name: one.name(), description: one.description() })),
      },
      ...visible.flatMap((one) => visit(one, [...path, one.name()])),
    ];
  };
  return visit(root, []);
}

const HELP: CompletedOption = {
  long: '--help',
  short: '-h',
  description: 'show this help',
  repeatable: false,
};

function isHidden(command: Command): boolean {
  return (command as unknown as { _hidden?: boolean })._hidden === true;
}

function optionsOf(command: Command, known: KnownWords): CompletedOption[] {
  return (
    command.options
      // Hidden without a description: an option that is only there to be refused.
      .filter(({ hidden, description }) => !hidden || description !== '')
      .map((option) => ({
        long: option.long ?? undefined,
        short: option.short ?? undefined,
        description: option.description,
        value: option.required || option.optional ? completedValue(option, known) : undefined,
        repeatable: Array.isArray(option.defaultValue) || /\brepeatable\b/.test(option.description),
      }))
  );
}

// Arguments of other commands are names and URLs.
const FILE_ARGUMENT = /^(scenario|run|base|new|target)$/;
const FILE_VALUE = /^(file|folder|path|run)$/;

function completedValue(one: Option | Argument, known: KnownWords): Value {
  const isOption = 'flags' in one;
  const name = isOption ? (/[<[]([^\]>]+)[\]>]/.exec(one.flags)?.[1] ?? '') : one.name();
  const words = known[isOption ? (one.long ?? '') : name] ?? one.argChoices;
  // Some of the words, separated by commas.
  if (words !== undefined) return { kind: name === 'list' ? 'list' : 'words', words };
  const isFile = isOption
    ? FILE_VALUE.test(name) && one.attributeName() !== 'textPath'
    : FILE_ARGUMENT.test(name);
  return { kind: isFile ? 'files' : 'text' };
}
