import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Manifest, Report } from '../../src/model/report.ts';
import { scratch, start, streambench } from '../support/program.ts';
import {
  CHAT_BODY,
  CHUNKED_END,
  chatChunk,
  chunked,
  type RawServer,
  rawServers,
  SSE_HEAD,
} from '../support/raw-server.ts';

const folder = scratch();
const serve = rawServers();
afterAll(() => folder.dispose());

const direct = (url: string, ...more: string[]) => [
  'run',
  '--target',
  url,
  '--provider',
  'openai',
  '--model',
  'm',
  ...more,
];
let outputs = 0;
let output = '';
const against = (server: RawServer, ...more: string[]) => {
  output = join(folder.path, `out${outputs++}`);
  return direct(server.url, '-n', '4', '-o', output, ...more);
};

function write(name: string, text: string): string {
  const file = join(folder.path, name);
  writeFileSync(file, text);
  return file;
}

function newestRun(output: string) {
  const run = join(output, readdirSync(output).sort().at(-1)!);
  const read = (file: string) => readFileSync(join(run, file), 'utf8');
  return {
    run,
    manifest: JSON.parse(read('manifest.json')) as Manifest,
    report: JSON.parse(read('report.json')) as Report,
    records: read('records.ndjson')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RequestRecord),
  };
}

describe('a run', () => {
  test('prints tables to stdout, progress to stderr, and keeps its records', async () => {
    const output = join(folder.path, 'demo');
    const { code, stdout, stderr } = await streambench([
      'run',
      '-n',
      '4',
      '-c',
      '1,2',
      '--rounds',
      '2',
      '-o',
      output,
    ]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('TTFT');
    expect(stdout).toMatch(/\dx faster/);
    expect(stdout + stderr).not.toContain('\u001b');
    expect(stderr).toMatch(/simulator · short · 1 stream · streaming: 4 requests/);
    const { manifest, report, records, run } = newestRun(output);
    expect(records).toHaveLength(3 * 2 * 2 * 4);
    expect(records.every((record) => record.outcome.kind === 'ok')).toBe(true);
    expect(manifest.run).toMatchObject({ aborted: false, planned: 48, rounds: 2 });
    expect(report.cells).toHaveLength(12);
    // The report made again from the records is the same, byte for byte: tables and document.
    const again = await streambench(['report', run]);
    expect(again).toEqual({ code: 0, stdout, stderr: '' });
    expect((await streambench(['report', run, '-f', 'json'])).stdout).toBe(
      readFileSync(join(run, 'report.json'), 'utf8'),
    );
  });

  test('--json prints one document and nothing else to stdout', async () => {
    const server = await serve((socket) => socket.write(SSE_HEAD + CHAT_BODY));
    const { code, stdout } = await streambench(against(server, '--json'));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'streambench/report@3',
      cells: [{ outcomes: { ok: 4 } }],
    });
  });

  test('--quiet leaves stderr empty', async () => {
    const server = await serve((socket) => socket.write(SSE_HEAD + CHAT_BODY));
    expect((await streambench(against(server, '-q'))).stderr).toBe('');
  });

  test('--rate sends when requests are due, and says which it could not send', async () => {
    const server = await serve((socket) => {
      setTimeout(() => socket.write(SSE_HEAD + CHAT_BODY), 100);
    });
    const flags = ['--rate', '30', '--arrivals', 'constant', '-n', '15', '--rounds', '1', '--warmup', '0'];
    const roomy = await streambench(against(server, ...flags, '--json'));
    expect(roomy.code, roomy.stderr).toBe(0);
    const [cell] = (JSON.parse(roomy.stdout) as Report).cells;
    expect(cell).toMatchObject({ rate: 30, concurrency: 200, outcomes: { ok: 15 } });
    expect(cell!.metrics.ttft_scheduled!.p50).toBeGreaterThanOrEqual(cell!.metrics.ttft!.p50);
    // Due at even distances, whatever the server does.
    const due = newestRun(output)
      .records.map(({ marks }) => marks.scheduled)
      .sort((a, b) => a - b);
    for (const [i, at] of due.entries()) expect(at - due[0]!).toBeCloseTo((i * 1000) / 30, 1);

    // 100 ms at 30 a second are three at once, and there is room for two.
    const tight = await streambench(against(server, ...flags, '--max-concurrency', '2'));
    expect(tight.code, tight.stderr).toBe(0);
    expect(tight.stdout).toMatch(/ × dropped: not sent: 2 streams were open when it was due/);
    const { outcomes } = newestRun(output).report.cells[0]!;
    expect(outcomes.dropped).toBeGreaterThan(0);
    expect(outcomes.ok! + outcomes.dropped!).toBe(15);
  });

  test('--dry-run sends nothing', async () => {
    const server = await serve(() => {});
    const { code, stdout } = await streambench(against(server, '--dry-run', '--mode', 'both'));
    expect(code).toBe(0);
    expect(stdout).toContain('2 cells, 8 requests');
    expect(server.connections()).toBe(0);
  });
});

describe('failures', () => {
  test('in every request: no latency is shown, and the exit code is 7', async () => {
    const body = '{"error":{"message":"no such key"}}';
    const server = await serve((socket) =>
      socket.write(
        `HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      ),
    );
    const { code, stdout, stderr } = await streambench(against(server));
    expect(code).toBe(7);
    expect(stdout).toContain('HTTP 401: no such key');
    expect(stdout).toContain('—');
    expect(stdout).not.toMatch(/\b0(\.0+)? ms/);
    expect(stderr.trim().split('\n').at(-1)).toBe(
      'exit 7: a target is unreachable, or all of its requests failed',
    );
    const { report, records } = newestRun(output);
    expect(records).toHaveLength(4);
    expect(report.cells[0]!.metrics.ttft).toBeNull();
  });

  test('in some requests: all are counted, and only the good ones are measured', async () => {
    let count = 0;
    const server = await serve((socket) => {
      if (count++ % 2 === 0) socket.write(SSE_HEAD + CHAT_BODY);
      else socket.end(SSE_HEAD + chunked(chatChunk({ content: 'x' })));
    });
    const { code } = await streambench(against(server, '--warmup', '0'));
    expect(code).toBe(0);
    const { report } = newestRun(output);
    expect(report.cells[0]!.outcomes).toEqual({ ok: 2, truncated: 2 });
    expect(report.cells[0]!.metrics.ttft!.n).toBe(2);
  });

  test.each([
    ['refused', 'http://127.0.0.1:1/v1', /ECONNREFUSED[\s\S]*nothing is listening/],
    ['DNS', 'http://no-such-host.invalid/v1', /no-such-host\.invalid[\s\S]*(ENOTFOUND|EAI_AGAIN)/],
  ])('a target that cannot be reached (%s) names the cause', async (_name, url, message) => {
    const { code, stdout, stderr } = await streambench(direct(url));
    expect({ code, stdout }).toEqual({ code: 7, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test('a target that never answers a TLS handshake is given up', async () => {
    const server = await serve(() => {});
    const url = server.url.replace('http', 'https');
    const { code, stderr } = await streambench(direct(url, '--set', 'timeouts.connect=300ms'));
    expect(code).toBe(7);
    expect(stderr).toMatch(/no connection within 300 ms[\s\S]*http or https/);
  });
});

describe('mistakes', () => {
  const scenario =
    'version: 1\nname: x\ntargets: [{ name: t, url: "http://127.0.0.1:1", dialect: openai-chat, model: m }]\nprompts: [{ name: p, text: hi }]\n';
  test.each<[string, () => string[], RegExp]>([
    ['no such file', () => ['run', 'nope.yaml'], /nope\.yaml: scenario file not found/],
    ['bad YAML', () => ['run', write('bad.yaml', 'version: 1\nname: [x\n')], /bad\.yaml:\d+:\d+: /],
    [
      'an unknown key',
      () => ['run', write('key.yaml', `${scenario}lod: { rounds: 1 }\n`)],
      /key\.yaml:5:1: [\s\S]*did you mean "load"/,
    ],
    [
      'a wrong type',
      () => ['run', write('type.yaml', `${scenario}load: { requests: many }\n`)],
      /type\.yaml:5:\d+: load\.requests: expected a whole number/,
    ],
    [
      'several at once',
      () => ['run', write('two.yaml', `${scenario}lod: {}\nstall: 5\n`)],
      /2 problems\n[\s\S]*:5:1:[\s\S]*:6:\d+:/,
    ],
    [
      'a missing variable',
      () => ['run', write('env.yaml', scenario.replace('hi', '"${env:NOT_THERE}"'))],
      /env\.yaml:4:\d+: [\s\S]*NOT_THERE/,
    ],
    [
      'an unknown provider',
      () => ['run', '--provider', 'opnai'],
      /unknown provider "opnai"\n.*did you mean "openai"/,
    ],
    ['a missing key', () => ['run', '--provider', 'openai', '--model', 'm'], /OPENAI_API_KEY is not set/],
    [
      'an unknown flag',
      () => ['run', '--concurency', '3'],
      /unknown option '--concurency'[\s\S]*--concurrency/,
    ],
    ['an unknown command', () => ['rnu'], /unknown command 'rnu'[\s\S]*run/],
    [
      'an unknown format',
      () => ['report', folder.path, '-f', 'jsn'],
      /--format: expected one of [\s\S]*, got "jsn"\n.*"json"/,
    ],
    ['no such run', () => ['report', join(folder.path, 'nope')], /nope/],
    [
      'an output folder that cannot be written',
      () => ['run', '-n', '1', '-c', '1', '-o', '/dev/null/x'],
      /cannot write \/dev\/null\/x/,
    ],
  ])('%s: exit 2, cause and remedy, nothing on stdout', async (_name, args, message) => {
    const { code, stdout, stderr } = await streambench(args());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr.trim().split('\n').at(-1)).toBe(
      'exit 2: usage error or invalid scenario; nothing was sent',
    );
  });

  test('a port in use for simulate', async () => {
    const server = await serve(() => {});
    const { code, stderr } = await streambench(['simulate', '--port', String(server.port)]);
    expect(code).toBe(2);
    expect(stderr).toContain(`port ${server.port}`);
  });
});

describe('Ctrl-C', () => {
  test('once: what is in flight ends, partial results are kept and marked, exit 130', async () => {
    const server = await serve((socket) => {
      socket.write(SSE_HEAD);
      setTimeout(() => socket.write(CHAT_BODY), 400);
    });
    const output = join(folder.path, 'once');
    const run = start(direct(server.url, '-n', '50', '-c', '2', '--warmup', '0', '-o', output));
    await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBeGreaterThan(2);
    run.kill('SIGINT');
    const { code, stdout, stderr } = await run.done;
    expect(code).toBe(130);
    expect(stdout).toContain('ABORTED');
    expect(stderr).toContain('send it again to stop now');
    const { manifest, records } = newestRun(output);
    expect(manifest.run).toMatchObject({ aborted: true, abortReason: 'interrupted' });
    expect(records).toHaveLength(server.requests.length);
    expect(records.every((record) => record.outcome.kind === 'ok')).toBe(true);
  });

  test('twice: it ends now, and what was in flight is recorded as cancelled', async () => {
    const server = await serve((socket) => socket.write(SSE_HEAD + chunked(chatChunk({ content: 'x' }))));
    const output = join(folder.path, 'twice');
    const run = start(direct(server.url, '-n', '50', '-c', '2', '--warmup', '0', '-o', output));
    await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBe(2);
    run.kill('SIGINT');
    await run.until('send it again');
    run.kill('SIGINT');
    const { code } = await run.done;
    expect(code).toBe(130);
    const { records } = newestRun(output);
    expect(records.map((record) => [record.outcome.kind, record.partial])).toEqual([
      ['cancelled', true],
      ['cancelled', true],
    ]);
  });

  test('SIGTERM exits 143', async () => {
    const server = await serve((socket) => socket.write(SSE_HEAD + CHAT_BODY));
    const run = start(direct(server.url, '-d', '30s', '-o', join(folder.path, 'term')));
    await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBeGreaterThan(2);
    run.kill('SIGTERM');
    expect((await run.done).code).toBe(143);
  });
});

test('no secret reaches the texts that are kept, when a service quotes it', async () => {
  const secret = 'sk-very-secret-4712';
  const server = await serve((socket, request) => {
    const heard = /authorization: (.*)\r/i.exec(request)?.[1];
    socket.write(SSE_HEAD + chunked(chatChunk({ content: `I got ${heard}` }, 'stop')) + CHUNKED_END);
  });
  const run = against(server, '--keep-text', '--api-key', secret);
  const { stdout, stderr } = await streambench(run);
  const { records, run: kept } = newestRun(output);
  expect(records[0]!.text).toBe('I got Bearer [secret]');
  const files = readdirSync(kept).map((name) => readFileSync(join(kept, name), 'utf8'));
  expect([stdout, stderr, ...files].join('\n')).not.toContain(secret);
});

test('no secret reaches any output, whatever the server does with it', async () => {
  const secret = 'sk-very-secret-4711';
  const server = await serve((socket, request) => {
    const body = JSON.stringify({
      error: { message: `I got ${/authorization: (.*)\r/i.exec(request)?.[1]} and ${secret}` },
    });
    socket.write(
      `HTTP/1.1 400 Bad\r\nx-request-id: ${secret}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  });
  const file = write(
    'secret.yaml',
    `version: 1\nname: s\ntargets: [{ name: t, url: "${server.url}/v1?k=\${env:MY_KEY}", dialect: openai-chat, model: m, apiKey: "\${env:MY_KEY}", headers: { x-more: "\${env:MY_KEY}" } }]\nprompts: [{ name: p, text: hi }]\nload: { requests: 2 }\n`,
  );
  const output = join(folder.path, 'secret');
  const { stdout, stderr, code } = await streambench(['run', file, '-o', output, '-v'], {
    env: { MY_KEY: secret },
  });
  expect(code).toBe(7);
  expect(server.requests[0]).toContain(`authorization: Bearer ${secret}`);
  const { run } = newestRun(output);
  const files = readdirSync(run).map((name) => readFileSync(join(run, name), 'utf8'));
  expect([stdout, stderr, ...files].join('\n')).not.toContain(secret);
  expect(stdout).toContain('${env:MY_KEY}');
});
