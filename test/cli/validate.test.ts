import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { validateCommand } from '../../src/cli/commands/validate.ts';
import { scratch, streambench } from '../support/program.ts';
import { runCommand } from './in-process.ts';

const folder = scratch();
afterAll(() => folder.dispose());

const file = (name: string, text: string) => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};
const SOUND =
  'version: 1\nname: sound\ntargets: [{ name: a, provider: simulator }]\nprompts: [{ name: p, text: hi }]\n';

test('every file is looked at, whatever was wrong with the ones before', async () => {
  const sound = file('sound.yaml', SOUND);
  const wrong = file('wrong.yaml', SOUND.replace('provider: simulator', 'provider: simulatr'));
  const missing = join(folder.path, 'missing.yaml');
  const { code, stdout, stderr } = await streambench(['validate', missing, wrong, sound]);
  expect(code).toBe(2);
  expect(stdout).toBe(`${sound}: ok (sound)\n`);
  expect(stderr).toMatch(
    /missing\.yaml: scenario file not found[\s\S]*wrong\.yaml:3:\d+: .*unknown provider/,
  );
  await expect(runCommand(validateCommand, ['validate', sound])).resolves.toMatchObject({ code: 0 });
});

test('--env-from gives variables to the scenario and nothing to Node', async () => {
  const scenario = file('uses.yaml', SOUND.replace('name: sound', 'name: sound\nseed: ${env:SEED}'));
  // Node would refuse to start with these options.
  const variables = file('variables', 'SEED=7\nNODE_OPTIONS=--no-such-option\n');
  const given = await streambench(['validate', scenario, '--env-from', variables]);
  expect({ code: given.code, stdout: given.stdout }).toEqual({
    code: 0,
    stdout: `${scenario}: ok (sound)\n`,
  });
  const without = await streambench(['validate', scenario]);
  expect(without.stderr).toContain('SEED is not set');
  const missing = await streambench(['validate', scenario, '--env-from', join(folder.path, 'none')]);
  expect(missing.code).toBe(2);
  expect(missing.stderr).toMatch(/--env-from: environment file not found: .*none/);
});
