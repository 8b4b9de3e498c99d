import type { Command, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import type { CliSession } from '../../src/cli/cli-session.ts';
import { createProgram } from '../../src/cli/program.ts';
import { UserError } from '../../src/model/errors.ts';

/** The options whose value is free text, checked where it is used; every other one must refuse what does not fit. */
const TEXT = new Set([
  ...['--target', '--provider', '--model', '--dialect', '--prompt', '--api-key', '--header', '--body'],
  ...[
    '--text-path',
    '--allow-file',
    '--env',
    '--env-from',
    '--env-file',
    '--set',
    '--threshold',
    '--slo',
    '--objective',
    '--regression',
  ],
  ...['--output', '--baseline', '--save-baseline', '--ca', '--proxy', '--unix', '--resolve'],
  ...['--host', '--jwt-secret', '--upstream', '--upstream-url', '--allow-upstream', '--db'],
  ...['--base-command', '--new-command', '--url', '--ready', '--runs', '--html', '--out'],
  ...[
    '--from-har',
    '--key-variable',
    '--name',
    '--namespace',
    '--image',
    '--pvc',
    '--secret',
    '--command',
    '--cell',
  ],
]);

const withoutSide = (name: string) => name.replace(/-[ab]$/, '');

function program(): Command {
  const open = (): CliSession => {
    throw new Error('a command was run');
  };
  const root = createProgram(open, open);
  for (const command of [root, ...root.commands])
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  return root;
}

/** What the program does with these words: the error that it ends with. */
async function ending(words: readonly string[]): Promise<unknown> {
  try {
    await program().parseAsync(['node', 'streambench', ...words]);
    return undefined;
  } catch (error) {
    return error;
  }
}

interface Checked {
  name: string;
  command: Command;
  option: Option;
}

const CHECKED: Checked[] = program().commands.flatMap((command) =>
  command.options
    .filter((option) => option.required && !TEXT.has(withoutSide(option.long!)))
    .map((option) => ({ name: `${command.name()} ${option.long}`, command, option })),
);
const choices = CHECKED.filter(({ option }) => option.argChoices !== undefined);
const numbers = CHECKED.filter(({ option }) => option.argChoices === undefined);

const argumentsOf = (command: Command) =>
  command.registeredArguments.filter(({ required }) => required).map(() => 'x');

async function refused({ command, option }: Checked, value: string): Promise<string> {
  const error = await ending([command.name(), ...argumentsOf(command), option.long!, value]);
  expect(error).toBeInstanceOf(UserError);
  const { code, exitCode, problems } = error as UserError;
  expect({ code, exitCode, problems: problems.length }).toEqual({ code: 'usage', exitCode: 2, problems: 1 });
  const { message } = problems[0]!;
  expect(message).toMatch(/^--[\w-]+: expected .+, got /);
  expect(message).toContain(`${option.long}: `);
  expect(message).toContain(JSON.stringify(value));
  return (error as UserError).message;
}

describe('a flag that does not fit is refused before the command begins', () => {
  test('there are such flags, of both kinds', () => {
    expect(choices.length).toBeGreaterThan(15);
    expect(numbers.length).toBeGreaterThan(30);
  });

  test.each(numbers.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    for (const value of ['abc', '-1', '1e999', '', ' ', '0x10', '1,', 'NaN']) await refused(one, value);
  });

  test.each(choices.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const { option } = one;
    for (const value of ['abcdefgh', '', 'constructor']) {
      const message = await refused(one, value);
      for (const word of option.argChoices!) expect(message).toContain(word);
    }
    const [word] = option.argChoices!.filter((choice) => choice.length > 4);
    if (word !== undefined) expect(await refused(one, `${word}x`)).toContain(`did you mean "${word}"`);
  });
});

test('the value as it should be is taken', async () => {
  for (const { command, option } of choices) {
    const error = await ending([
      ...[command.name(), ...argumentsOf(command), option.long!, option.argChoices![0]!],
      '--no-such-flag',
    ]);
    expect((error as Error).message).toContain('--no-such-flag');
  }
});

test('run, ab and probe take the same request flags', () => {
  const names = (command: string) =>
    program()
      .commands.find((one) => one.name() === command)!
      .options.map(({ long }) => long!);
  const shared = [
    ...['--prompt', '--max-tokens', '--body', '--method', '--text-path', '--exact-url', '--dialect'],
    ...['--api-key', '--header', '--mode', '--timeout', '--env', '--env-from', '--set'],
  ];
  for (const command of ['run', 'ab', 'probe'])
    expect(names(command)).toEqual(expect.arrayContaining(shared));
  const sides = names('ab').filter((name) => name.endsWith('-a'));
  expect(sides.length).toBeGreaterThan(8);
  for (const name of sides) expect(names('ab')).toContain(name.replace(/-a$/, '-b'));
});

describe('a name that is not known', () => {
  test.each([
    [['help', 'rnu'], 'did you mean "run"'],
    [['help', 'x'], 'known: run, '],
    [['rnu'], 'Did you mean run'],
    [['run', '--modle', 'x'], '--model'],
  ])('%j', async (words, hint) => {
    let written = '';
    const root = program();
    for (const command of [root, ...root.commands])
      command.configureOutput({ writeErr: (text) => (written += text) });
    const error: unknown = await root.parseAsync(['node', 'streambench', ...words]).catch((thrown) => thrown);
    expect(`${written}${error}`).toContain(hint);
  });
});

test('--env-file, which Node reads by itself, is refused with the name that is ours', async () => {
  for (const command of ['run', 'ab', 'probe', 'validate']) {
    const error = await ending([command, 'x', 'y', '--env-file', 'package.json']);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(/an option of Node[\s\S]*--env-from FILE/);
  }
});
