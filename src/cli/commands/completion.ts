import { Argument, type Command } from 'commander';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { addExamples, TOPIC_NAMES } from '../help.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

type Shell = (typeof SHELLS)[number];

export const completionCommand: AddCommand = (root, open) => {
  const command = root
    .command('completion')
    .description('print a completion script for bash, zsh or fish')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .action((shell: Shell) => completion(shell, root, open()));
  addExamples(
    command,
    { words: 'completion bash >> ~/.bashrc', does: 'bash' },
    { words: 'completion zsh > "${fpath[1]}/_streambench"', does: 'zsh' },
    { words: 'completion fish > ~/.config/fish/completions/streambench.fish', does: 'fish' },
  );
};

async function completion(shell: Shell, root: Command, session: CliSession): Promise<void> {
  const { completedCommands } = await import('../completion/command-tree.ts');
  const { PROVIDERS } = await import('../../wire/providers.ts');
  const { DIALECT_NAMES } = await import('../../wire/dialects/index.ts');
  const providers = PROVIDERS.map(({ name }) => name);
  const commands = completedCommands(root, {
    ...Object.fromEntries(['', '-a', '-b'].map((side) => [`--provider${side}`, providers])),
    ...Object.fromEntries(['', '-a', '-b'].map((side) => [`--dialect${side}`, DIALECT_NAMES])),
    '--upstream': providers,
    topic: [...root.commands.map((command) => command.name()), ...TOPIC_NAMES],
  });
  session.print(await script(shell, commands));
}

async function script(
  shell: Shell,
  commands: Parameters<typeof import('../completion/bash.ts').bashCompletion>[0],
): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.ts')).bashCompletion(commands);
    case 'zsh':
      return (await import('../completion/zsh.ts')).zshCompletion(commands);
    case 'fish':
      return (await import('../completion/fish.ts')).fishCompletion(commands);
    default:
      return shell satisfies never;
  }
}
