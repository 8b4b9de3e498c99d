import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCliSession } from '../../src/cli/cli-session.ts';
import { createProgram } from '../../src/cli/program.ts';

/** The script as the whole program prints it. */
async function scriptFor(shell: string): Promise<string> {
  let script = '';
  const write = (text: string) => {
    script += text;
    return true;
  };
  const stream = { write, isTTY: false } as unknown as NodeJS.WriteStream & { fd: 1 & 2 };
  const session = openCliSession({ env: {}, stdout: stream, stderr: stream }, {});
  await createProgram(
    () => session,
    () => session,
  ).parseAsync(['completion', shell], { from: 'user' });
  return script;
}

const installed = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) writeFileSync(join(folder, shell), await scriptFor(shell));
  writeFileSync(join(folder, 'scenario one.yaml'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(shell: string, script: string, args: readonly string[] = []): string {
  const { stdout, stderr } = spawnSync(shell, [...args, '-c', script], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout;
}

// What is offered after these words; the last one is being typed.
const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['ru', ['run']],
  ['run --prov', ['--provider']],
  ['run --provider zh', ['zhipu', 'zhipu-jwt']],
  ['ab --dialect-b openai-c', ['openai-chat', 'openai-completions']],
  ['report --format mark', ['markdown']],
  ['report -f mark', ['markdown']],
  ['report --percentiles p50,p9', ['p50,p90', 'p50,p95', 'p50,p99']],
  ['baseline pi', ['pin']],
  ['help thr', ['thresholds']],
  ['completion f', ['fish']],
  ['run scen', ['scenario one.yaml']],
  ['run --env-from scen', ['scenario one.yaml']],
  ['run --env-f', ['--env-from']],
  ['run --model b', []],
];

describe.skipIf(!installed('bash'))('bash', () => {
  test('offers commands, options, choices and files', () => {
    const asked = CASES.map(([line]) => {
      const words = line.split(' ');
      return `COMP_WORDS=(streambench ${words.join(' ')}); COMP_CWORD=${words.length}; COMPREPLY=(); _streambench; (IFS='|'; echo "\${COMPREPLY[*]}")`;
    });
    const offered = run('bash', ['source ./bash', ...asked].join('\n'))
      .split('\n')
      .slice(0, -1);
    expect(offered).toEqual(CASES.map(([, words]) => words.join('|')));
  });

  test('completes --option=value, which bash splits', () => {
    const script = `source ./bash; COMP_WORDS=(streambench run --dialect = openai-c); COMP_CWORD=4; _streambench; echo "\${COMPREPLY[*]}"`;
    expect(run('bash', script)).toBe('openai-chat openai-completions\n');
  });
});

describe.skipIf(!installed('fish'))('fish', () => {
  test('offers commands, options, choices and files', () => {
    const asked = CASES.map(([line]) => `complete -C 'streambench ${line}'; echo ----`);
    const offered = run('fish', ['source ./fish', ...asked].join('\n'), ['--no-config'])
      .split('----\n')
      .slice(0, -1)
      .map((part) => part.split('\n').slice(0, -1));
    const names = offered.map((lines) =>
      lines.map((line) => line.split('\t')[0]?.replaceAll('\\', '')).sort(),
    );
    expect(names).toEqual(CASES.map(([, words]) => [...words].sort()));
  });
});

describe.skipIf(!installed('zsh'))('zsh', () => {
  test('parses, and describes each command to _arguments', () => {
    expect(run('zsh', 'zsh -n ./zsh && compdef() { echo defined $2 }; source ./zsh', ['-f'])).toBe(
      'defined streambench\n',
    );
    // The specifications that _arguments gets, where the words are those of a report command.
    const specs = run(
      'zsh',
      'compdef() {}; _arguments() { print -l -- "$@" }; source ./zsh; _streambench_report',
      ['-f'],
    );
    expect(specs).toMatch(/^\(--format -f\)-f\+\[one of .*\]:value:\(terminal json .*\)$/m);
    expect(specs).toMatch(/^\(--out -o\)--out=\[.*\]:value:_files$/m);
    expect(specs).toMatch(/^1:argument:_files$/m);
  });
});
