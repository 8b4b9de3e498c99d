import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkBaselineName, findBaseline, saveBaseline } from '../../src/results/baselines.ts';

const root = mkdtempSync(join(tmpdir(), 'streambench-baselines-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const output = join(root, 'out');

function run(name: string, file: string): string {
  const path = join(root, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, file), '');
  return path;
}

describe('a baseline', () => {
  test('is found by its name and by a folder', async () => {
    const source = run('a', 'first');
    const saved = await saveBaseline(source, output, 'main');
    expect(saved).toBe(join(output, 'baselines', 'main'));
    expect(await findBaseline(output, 'main')).toBe(saved);
    expect(await findBaseline(output, source)).toBe(source);
  });

  test('is replaced as a whole, and a copy that a crash left behind does not matter', async () => {
    mkdirSync(join(output, 'baselines/main.new/half'), { recursive: true });
    const saved = await saveBaseline(run('b', 'second'), output, 'main');
    expect(readdirSync(saved)).toEqual(['second']);
    expect(existsSync(`${saved}.new`)).toBe(false);
  });

  test('that does not exist is an error with the remedy', async () => {
    await expect(findBaseline(output, 'nope')).rejects.toMatchObject({
      code: 'results_not_found',
      message: expect.stringContaining('--save-baseline nope'),
    });
  });

  test.each(['', '.', '..', '../x', 'a/b', '-rf', 'a b'])('is not saved under the name %j', (name) => {
    expect(() => checkBaselineName(name)).toThrow(/invalid baseline name/);
  });
});
