import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareCommand } from '../../src/cli/commands/compare.ts';
import { probeCommand } from '../../src/cli/commands/probe.ts';
import { reportCommand } from '../../src/cli/commands/report.ts';
import { validateCommand } from '../../src/cli/commands/validate.ts';
import { REPORTER_NAMES } from '../../src/report/formats/names.ts';
import { createToken } from '../../src/service/index.ts';
import { runCommand } from '../cli/in-process.ts';
import { serveProcess } from '../service/serve-process.ts';
import { everyFile, FAULTS, faultAt, faultPath, KEY, leaks, SPELLINGS } from '../support/canary.ts';
import { scratch, streambench } from '../support/program.ts';
import { type RawServer, rawServer } from '../support/raw-server.ts';

/** A key that a server sends back, in every spelling and place, comes out nowhere: not in 8 of its characters. */

const folder = scratch();
let server: RawServer;
const env = { CANARY_KEY: KEY, OPENAI_API_KEY: KEY };
const output = join(folder.path, 'results');

beforeAll(async () => {
  server = await rawServer((socket, request) => void socket.end(faultAt(request)));
});
afterAll(async () => {
  await server.close();
  folder.dispose();
});

const file = (name: string, text: string) => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};
const everyFault = Object.keys(FAULTS).flatMap((fault) =>
  Object.keys(SPELLINGS).map((spelling) => ({ fault, spelling })),
);

/** A scenario with a target for each fault in each spelling. */
function scenario(targets: readonly { fault: string; spelling: string }[]): string {
  const lines = targets.map(
    ({ fault, spelling }, i) =>
      `  - { name: "${fault} ${spelling} ${i}", dialect: openai-chat, model: m, apiKey: "\${env:CANARY_KEY}", url: "${server.url}${faultPath(fault, spelling)}" }`,
  );
  return `version: 1\nname: canary\ndescription: "${KEY} in a description"\ntargets:\n${lines.join('\n')}\nprompts: [{ name: p, text: hi }]\nmodes: [streaming, non-streaming]\nload: { requests: 1, rounds: 1, warmup: 0 }\nkeepText: true\nkeepGoing: true\n`;
}

describe('a run', () => {
  const few = everyFault.filter(({ spelling }) => spelling === 'plain');
  const small = join(folder.path, 'small');

  test('of every fault in every spelling', async () => {
    const path = file('canary.yaml', scenario(everyFault));
    const { code, stdout, stderr } = await streambench(['run', path, '-o', output, '-v'], { env });
    // Most of the targets fail whatever is asked.
    expect(code, stderr).toBe(7);
    expect(leaks(stdout + stderr)).toEqual([]);
    expect(leaks(everyFile(output))).toEqual([]);
    // The key was sent, so that it could come back.
    expect(server.requests.length).toBeGreaterThanOrEqual(everyFault.length * 2);
    expect(server.requests.every((request) => request.includes(`Bearer ${KEY}`))).toBe(true);
  }, 240_000);

  test('reported in every format, and compared', async () => {
    const path = file('few.yaml', scenario(few));
    const more = ['--json', '--workers', '2', '-c', '2', '-n', '2'];
    const { stdout } = await streambench(['run', path, '-o', small, ...more], { env });
    expect(leaks(stdout)).toEqual([]);
    const run = join(small, readdirSync(small)[0]!);
    for (const format of ['terminal', ...REPORTER_NAMES]) {
      const reported = await runCommand(reportCommand, ['report', run, '-f', format]);
      expect(reported.stdout.length).toBeGreaterThan(100);
      expect(leaks(reported.stdout + reported.stderr)).toEqual([]);
    }
    for (const json of [[], ['--json']]) {
      const compared = await runCommand(compareCommand, ['compare', run, run, ...json]);
      expect(leaks(compared.stdout)).toEqual([]);
    }
    expect(leaks(everyFile(small))).toEqual([]);
  }, 240_000);

  test.each([[['--dry-run']], [['--dry-run', '--json']]])(
    '%j',
    async (more) => {
      const { code, stdout, stderr } = await streambench(
        ['run', file('few.yaml', scenario(few)), '-o', output, ...more],
        { env },
      );
      expect(code, stderr).toBe(0);
      expect(leaks(stdout + stderr)).toEqual([]);
    },
    120_000,
  );

  test('of two targets, with a key on each side', async () => {
    const other = 'kL3vB8nM1qW5eR9t';
    const both = [
      `${server.url}${faultPath('answer', 'plain')}#m`,
      `${server.url}${faultPath('error inside', 'hex')}#m`,
    ];
    const keys = [
      '--api-key-a',
      KEY,
      '--header-b',
      `authorization: Bearer ${KEY}`,
      '-H',
      `x-token: ${other}`,
    ];
    const { stdout, stderr } = await streambench([
      'ab',
      ...both,
      ...keys,
      '-n',
      '2',
      '--warmup',
      '0',
      '-o',
      join(folder.path, 'ab'),
      '--dialect',
      'openai-chat',
    ]);
    expect(stdout).toContain('TTFT');
    for (const secret of [KEY, other]) {
      expect(leaks(stdout + stderr + everyFile(join(folder.path, 'ab')), secret)).toEqual([]);
    }
  }, 120_000);
});

describe('a probe', () => {
  test.each(Object.keys(FAULTS))('of: %s', async (fault) => {
    for (const spelling of ['plain', 'basic', 'unicode']) {
      const url = server.url + faultPath(fault, spelling);
      const args = [
        'probe',
        url,
        '--dialect',
        'openai-chat',
        '--model',
        'm',
        '--api-key',
        KEY,
        '--mode',
        'both',
      ];
      for (const more of [[], ['--json']]) {
        const { stdout, stderr } = await runCommand(probeCommand, [...args, ...more]);
        expect(leaks(stdout + stderr)).toEqual([]);
      }
    }
  });

  test.each([
    [
      'a proxy that is not there',
      (url: string) => [url, '--proxy', `http://user:${KEY.replace('/', '%2F')}@127.0.0.1:1`],
    ],
    [
      'a host that is not there',
      () => [`http://user:${KEY.replace('/', '%2F')}@127.0.0.1:1/v1/chat/completions?api_key=${KEY}`],
    ],
    [
      'a proxy that echoes',
      (url: string) => [url, '--proxy', `http://user:${KEY.replace('/', '%2F')}@${new URL(url).host}`],
    ],
    [
      'a proxy that echoes and makes no tunnel',
      (url: string) => [
        url.replace('http:', 'https:'),
        '--proxy',
        `http://user:${KEY.replace('/', '%2F')}@${new URL(url).host}`,
      ],
    ],
  ])('by way of %s', async (_name, args) => {
    const proxy = await rawServer((socket, request) => {
      const [, credential = ''] = /proxy-authorization: Basic (\S+)/i.exec(request) ?? [];
      const said = `${Buffer.from(credential, 'base64')} ${credential}`;
      socket.end(`HTTP/1.1 407 ${said}\r\nserver: ${said}\r\ncontent-length: ${said.length}\r\n\r\n${said}`);
    });
    const words = args(`${proxy.url}/v1/chat/completions`);
    for (const more of [[], ['--json']]) {
      const { stdout, stderr } = await runCommand(probeCommand, ['probe', ...words, '--model', 'm', ...more]);
      expect(leaks(stdout + stderr)).toEqual([]);
    }
    await proxy.close();
  });
});

describe('a mistake', () => {
  const wrong: Record<string, string> = {
    'an unknown key': `    api_key: ${KEY}`,
    'a provider': `    provider: ${KEY}\n    apiKey: ${KEY}`,
    'a dialect with another key': `    dialect: ${KEY}\n    headers: { authorization: "Bearer ${KEY}" }`,
    'headers that are a text': `    headers: ${KEY}`,
    'a key that is a list': `    apiKey: [${KEY}]`,
    'an address': `    url: "htp://user:${KEY}@h?token=${KEY}"`,
    'a number': `    http: ${KEY}\n    apiKey: ${KEY}`,
    'an anchor': `    apiKey: *${KEY.replace('/', '')}`,
    'a file': `    ca: "${KEY}"\n    apiKey: "${KEY}"`,
  };

  test.each(Object.keys(wrong))('in a scenario file: %s', async (name) => {
    const path = file(
      'wrong.yaml',
      `version: 1\nname: w\ntargets:\n  - name: t\n    model: m\n${wrong[name]}\nprompts: [{ name: p, text: x }]\n`,
    );
    const { stdout, stderr, code } = await streambench(['validate', path], {
      env: { MY_KEY: KEY.replace('/', ''), ...env },
    });
    expect(code).toBe(2);
    expect(leaks(stdout + stderr)).toEqual([]);
    await expect(runCommand(validateCommand, ['validate', path])).rejects.toThrow();
  });

  test.each([
    [['run', '--target', 'http://127.0.0.1:1', '--provider', KEY, '--api-key', KEY]],
    [['run', '--no-such-flag', KEY, `--api-key=${KEY}`]],
    [['run', `--apikey=${KEY}`, '--api-key', KEY]],
    [['probe', `http://user:${encodeURIComponent(KEY)}@127.0.0.1:1/x y`, '--dialect', 'sse', '--http', KEY]],
    [['run', '-H', KEY, '--target', 'http://127.0.0.1:1']],
    [['run', '-e', KEY]],
    [['run', '--set', `targets.0.apiKey=${KEY}`, `/no/such/${KEY}.yaml`]],
    [['serve', '--jwt-secret', KEY, '--port', KEY]],
    [['report', KEY]],
    [['compare', KEY, KEY]],
    [['doctor', '--levels', KEY]],
    [['simulate', '--port', KEY]],
    [[KEY]],
  ])('in the words of a command: %j', async (words) => {
    const { stdout, stderr, code } = await streambench(words, { env, cwd: folder.path });
    expect(code).not.toBe(0);
    expect(leaks(stdout + stderr)).toEqual([]);
  });
});

test.each([
  ['refusal', 'plain'],
  ['rate limit', 'plain'],
  ['answer', 'base64'],
  ['error inside', 'unicode'],
  ['garbled', 'plain'],
])(
  'the service in front of %s in %s: its answers, its log and its database',
  async (fault, spelling) => {
    const secret = 'wT5-Zc8-jR2-a-secret-of-32-bytes!';
    const db = mkdtempSync(join(folder.path, 'db-'));
    const upstream = [
      '--upstream',
      'openai',
      '--model',
      'm',
      '--upstream-url',
      server.url + faultPath(fault, spelling),
    ];
    const service = await serveProcess(
      [...upstream, '--db', join(db, 'messages.db'), '--log-level', 'debug', '--jwt-secret', secret],
      env,
    );
    const headers = { authorization: `Bearer ${await createToken(secret)}` };
    let answers = '';
    for (const path of [
      '/chat/stream',
      '/chat',
      '/api/v1/conversations/c/stream-debug',
      '/api/v1/agents/a/chat/lumosai/stream',
    ]) {
      const response = await service.post(
        path,
        { message: 'Hello', session_id: 's' },
        { headers: { ...headers, 'content-type': 'application/json' } },
      );
      answers += JSON.stringify([...response.headers]) + (await response.text());
    }
    answers += await (await fetch(`${service.url}/sessions/s/messages`, { headers })).text();
    await service.end('SIGTERM');
    const pieces = [...answers.matchAll(/"(?:content|delta|text)":"([^"]*)"/g)]
      .map(([, text]) => text)
      .join('');
    expect(server.requests.at(-1)).toContain(`Bearer ${KEY}`);
    expect(leaks(answers + pieces + service.stderr() + everyFile(db))).toEqual([]);
    expect(leaks(service.stderr(), secret)).toEqual([]);
  },
  60_000,
);
