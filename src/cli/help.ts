import type { Command, Help, Option } from 'commander';
import { EXIT_MEANING, UserError } from '../model/errors.ts';
import { suggest } from '../model/suggestions.ts';
import type { AddCommand } from './cli-session.ts';

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

/** Help that belongs to no single command, by the word after `help`. */
const TOPICS = {
  thresholds: 'how limits that decide the exit code are written',
  'exit-codes': 'what each exit code means, and which comes first',
  verdicts: 'what the streaming verdicts mean, and what to do',
  scenarios: 'the sections of a scenario file',
} as const;

/** Name of a help topic. */
export type Topic = keyof typeof TOPICS;

/** The names of the help topics. */
export const TOPIC_NAMES = Object.keys(TOPICS) as Topic[];

/** The list of topics, for the end of the program's help. */
export function topicsHelp(): string {
  const width = Math.max(...TOPIC_NAMES.map((name) => name.length)) + 2;
  const rows = TOPIC_NAMES.map((name) => `  help ${name.padEnd(width)}${TOPICS[name]}`);
  return `\nTopics:\n${rows.join('\n')}`;
}

/** Adds `help`. Commander's own prints the whole help for an unknown command, without an error. */
export const helpCommand: AddCommand = (root, open) => {
  root
    .command('help')
    .description('show the help of a command or a topic')
    .argument('[topic]', `command, or one of ${TOPIC_NAMES.join(', ')}`)
    .action(async (name: string | undefined) => {
      if (name === undefined) return root.help();
      const command = root.commands.find((one) => one.name() === name);
      if (command !== undefined) return command.help();
      const topic = TOPIC_NAMES.find((one) => one === name.toLowerCase());
      if (topic !== undefined) {
        const { topicText } = await import('./topics.ts');
        const session = open();
        return session.print(topicText(topic, session.width));
      }
      throw new UserError('usage', {
        message: `no command and no help topic is named ${JSON.stringify(name)}`,
        hint: suggest(name, [...root.commands.map((one) => one.name()), ...TOPIC_NAMES]),
      });
    });
};
