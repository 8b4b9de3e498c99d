import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EXIT_MEANING } from '../src/model/errors.ts';
import { REPORTER_NAMES } from '../src/report/formats/names.ts';
import { parseScenario } from '../src/scenario/load.ts';
import { ROOT, streambench } from './support/program.ts';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

function block(language: string): string {
  return new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(readme)![1]!;
}

describe('the README', () => {
  test('has an example that streams from the simulator and prints tokens', () => {
    const code = block('js');
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(output).toMatch(/^\S.{20,}\nok: first token after \d+\.\d ms\n$/);
  });

  test('shows a scenario that is valid', () => {
    const { scenario } = parseScenario(block('yaml'), 'README.yaml', {
      env: { ZHIPU_API_KEY: 'k.s' },
      readText: () => 'text',
    });
    expect(scenario.thresholds).toHaveLength(3);
  });

  test('names every format, and none that is not there', () => {
    const formats = ['terminal', ...REPORTER_NAMES];
    const table = readme.slice(readme.indexOf('| format |'));
    const told = [...table.slice(0, table.indexOf('\n\n')).matchAll(/^\| `([a-z-]+)` \|/gm)].map(
      ([, name]) => name!,
    );
    expect(new Set(told)).toEqual(new Set(formats));
    for (const [, name] of readme.matchAll(/ -f ([a-z-]+)/g)) expect(formats).toContain(name);
  });

  test('calls the action with inputs that it has, and CI with YAML that can be read', () => {
    const { inputs } = parse(readFileSync(join(ROOT, 'action.yml'), 'utf8')) as { inputs: object };
    const blocks = [...readme.matchAll(/```yml\n([\s\S]*?)```/g)].map(([, text]) => parse(text!) as unknown);
    const steps = blocks.flatMap((one) =>
      Array.isArray(one) ? (one as { uses?: string; with?: object }[]) : [],
    );
    const own = steps.filter(({ uses }) => uses?.includes('/streambench@'));
    expect(own.length).toBeGreaterThan(0);
    for (const { with: given = {} } of own)
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(given)));
  });

  test('names every command and every exit code, and none that is not there', async () => {
    const { stdout } = await streambench(['--help']);
    const commands = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}([a-z]+)\b/gm)].map(
      ([, name]) => name!,
    );
    const table = readme.slice(readme.indexOf('| command |'), readme.indexOf('The result goes to stdout'));
    const told = [...table.matchAll(/`([a-z]+)[ `]/g)]
      .map(([, name]) => name!)
      .filter((name) => !['terminal', 'json', 'markdown', 'csv'].includes(name));
    expect(new Set(told)).toEqual(new Set(commands.filter((name) => name !== 'help')));
    const codes = readme.slice(readme.indexOf('| exit code |'));
    const named = [...codes.slice(0, codes.indexOf('\n\n')).matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(
      ([, cell]) => cell!.split(', '),
    );
    expect(new Set(named)).toEqual(new Set(Object.keys(EXIT_MEANING)));
  });
});
