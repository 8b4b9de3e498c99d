import { expect, test } from 'vitest';
import { listCommands } from '../../src/cli/commands/lists.ts';
import { DIALECT_NAMES } from '../../src/wire/dialects/index.ts';
import { PROVIDERS } from '../../src/wire/providers.ts';
import { runCommand } from './in-process.ts';

test('the providers can be read at 80 columns, no address cut', async () => {
  const { stdout } = await runCommand(listCommands, ['providers'], { width: 80 });
  const lines = stdout.split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  for (const { name, dialect, keyVariable = '', baseUrl, note } of PROVIDERS) {
    const at = lines.findIndex((line) => line.startsWith(`${name} `));
    expect(lines[at]!.split(/ +/)).toEqual([name, dialect, keyVariable].filter((cell) => cell !== ''));
    if (baseUrl !== undefined) expect(lines[at + 1]).toBe(`    ${baseUrl}`);
    for (const word of note?.match(/https?:\S+/g) ?? []) expect(stdout).toContain(word);
  }
});

test('a program can read them as JSON, with the fields that each takes', async () => {
  const { stdout } = await runCommand(listCommands, ['providers', '--json']);
  const { providers } = JSON.parse(stdout) as { providers: Record<string, unknown>[] };
  expect(providers.find(({ name }) => name === 'mistral')).toMatchObject({
    requestFields: { usage: 'none' },
  });
});

test.each([60, 80])('the dialects fit %d columns', async (width) => {
  const { stdout } = await runCommand(listCommands, ['dialects'], { width });
  const lines = stdout.split('\n');
  expect(lines.filter((line) => line.length > width)).toEqual([]);
  for (const name of DIALECT_NAMES)
    expect(lines.filter((line) => line.split(' ', 1)[0] === name)).toHaveLength(1);
});

test('the providers fit 60 columns', async () => {
  const { stdout } = await runCommand(listCommands, ['providers'], { width: 60 });
  expect(stdout.split('\n').filter((line) => line.length > 60)).toEqual([]);
});
