import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { bashQuoted, shellWords, UnfinishedCommand } from '../../../src/scenario/draft/shell-words.ts';

// The words of a real bash are the witness.
const COMMANDS = [
  `curl 'http://h/a b' -H "x: \\"y\\"" --data-raw '{"a":"it'\\''s"}'`,
  String.raw`curl -H $'a: \t\x41\u00e9\'' --data-raw $'{"t":"line\\nnext\n"}'`,
  'curl http://h \\\n  -H x:y \\\n  --compressed',
  'curl "two\\\nlines" a\\ b ""',
  `curl '' -d "a\\b\\$c"`,
  'curl http://h | jq .',
  'curl http://h > out.txt',
  'curl http://h; echo done',
];

test('bash commands are split as bash splits them', () => {
  const script = COMMANDS.map(
    (command) => `${command.replace(/^curl/, 'words').replace(/\s*(\||>|;).*/s, '')}\necho`,
  );
  const define = `words() { for word in curl "$@"; do printf '%s\\001' "$word"; done; }\n`;
  const { stdout } = spawnSync('bash', ['-c', define + script.join('\n')], { encoding: 'utf8' });
  const expected = stdout
    .split('\u0001\n')
    .slice(0, -1)
    .map((line) => line.split('\u0001'));
  expect(COMMANDS.map(shellWords)).toEqual(expected);
});

describe('variables and substitutions', () => {
  test('a variable becomes a reference to the environment', () => {
    expect(shellWords('curl -H "authorization: Bearer $KEY" ${BASE_URL}/chat')).toEqual([
      'curl',
      '-H',
      'authorization: Bearer ${env:KEY}',
      '${env:BASE_URL}/chat',
    ]);
    expect(shellWords("curl -d '$KEY costs $5'")).toEqual(['curl', '-d', '$KEY costs $5']);
  });

  test('text that looks like a reference is not one', () => {
    expect(shellWords("curl '${env:HOME}'")).toEqual(['curl', '$${env:HOME}']);
  });

  test('a substitution is refused, never executed', () => {
    expect(() => shellWords('curl -d "$(cat key)"')).toThrow(/substitution.*\n.*without quotes/);
    expect(() => shellWords('curl -d `id`')).toThrow(/substitution/);
  });
});

test('cmd.exe: the escapes of Chrome and of Firefox', () => {
  const chrome = [
    'curl ^"http://h/chat?a=1^&b=2^" ^',
    '  -H ^"content-type: application/json^" ^',
    String.raw`  --data-raw ^"^{^\^"q^\^":^\^"100^% ^\^\n^\^"^}^"`,
  ];
  expect(shellWords(chrome.join('\r\n'))).toEqual([
    'curl',
    'http://h/chat?a=1&b=2',
    '-H',
    'content-type: application/json',
    '--data-raw',
    String.raw`{"q":"100% \n"}`,
  ]);
  const firefox = 'curl "http://h/chat" ^\r\n  --data-raw "{""q"":""hi""}" ^\r\n  -H "x: %KEY%"';
  expect(shellWords(firefox)).toEqual([
    'curl',
    'http://h/chat',
    '--data-raw',
    '{"q":"hi"}',
    '-H',
    'x: ${env:KEY}',
  ]);
});

test('an open quote is reported, and typographic quotes are named', () => {
  expect(() => shellWords("curl 'http://h")).toThrow(UnfinishedCommand);
  expect(() => shellWords('curl -d "a')).toThrow(UnfinishedCommand);
  expect(() => shellWords('curl “http://h”')).toThrow(/typographic quote/);
});

test('a quoted text is read back by bash', () => {
  const text = `it's "$x" \\ \n`;
  const { stdout } = spawnSync('bash', ['-c', `printf %s ${bashQuoted(text)}`], { encoding: 'utf8' });
  expect(stdout).toBe(text);
});
