import { existsSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ProbeReport } from '../../src/report/probe-report.ts';
import { createSimulator } from '../../src/simulator/index.ts';
import { CA_FILE, type ChatServerOptions, chatServer } from '../support/chat-server.ts';
import { scratch, start, streambench } from '../support/program.ts';
import { proxyServer } from '../support/proxy-server.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';

const folder = scratch();
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});
afterAll(() => folder.dispose());

async function kept<T extends { close(): unknown }>(server: Promise<T>): Promise<T> {
  const ready = await server;
  open.push(ready);
  return ready;
}

const raw = (answer: (socket: Socket, request: string) => void) => kept(rawServer(answer));
const chat = (options: ChatServerOptions = {}) => kept(chatServer(options));
/** An answer whose body ends with the connection. */
const whole = (head: string, body: string) => (socket: Socket) =>
  socket.end(`HTTP/1.1 ${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);

const probe = (url: string, ...more: string[]) => streambench(['probe', url, ...more]);
const chatUrl = (server: { url: string }) => `${server.url}/v1/chat/completions`;

async function json(url: string, ...more: string[]): Promise<ProbeReport> {
  const { stdout } = await probe(url, '--json', ...more);
  return JSON.parse(stdout) as ProbeReport;
}

describe('a stream that is no language model', () => {
  test('is drawn on stdout, with nothing on stderr', async () => {
    const server = await raw((socket) => {
      socket.write(SSE_HEAD + chunked(': hello\n\ndata: one\n\n'));
      setTimeout(() => socket.write(chunked('event: x\ndata: two\n\n') + CHUNKED_END), 50);
    });
    const { code, stdout, stderr } = await probe(`${server.url}/ticker`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(server.requests[0]).toMatch(/^GET \/ticker /);
    expect(stdout).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/ticker\nsse · streaming\nHTTP\/1\.1 200 · /);
    expect(stdout).toContain('✔ ok');
    for (const step of ['tcp', 'request sent', 'headers', 'first byte', 'first event', 'last content', 'end'])
      expect(stdout).toMatch(new RegExp(`^${step} +(<?[\\d.]+) m?s`, 'm'));
    expect(stdout).toMatch(/^body .*2 reads · 2 events · 1 comment/m);
    expect(stdout).not.toContain('\u001b');
  });

  test('with lines that readers stumble over is told of them', async () => {
    const server = await raw((socket) =>
      socket.write(
        SSE_HEAD +
          chunked('data:{"a":1}\r\n\r\ndata: {"a":\ndata: 2}\n\ndata: [DONE]\n\ndata: x\n\n') +
          CHUNKED_END,
      ),
    );
    const { requests } = await json(`${server.url}/events`);
    expect(requests[0]!.lint!.map(({ code, what }) => `${code}: ${what}`)).toEqual([
      'after-terminator: 1 event after the terminator',
      'data-format: mixed line ends: 7 LF, 2 CRLF',
      'data-format: no space after "data:" in 1 of 5 lines',
      'data-format: 1 event with JSON over several data: lines',
      'cache-control: no cache-control',
      'x-accel-buffering: no x-accel-buffering',
    ]);
  });

  test('without an end is ended, and Ctrl-C ends it sooner', async () => {
    const server = await raw((socket) => {
      socket.write(SSE_HEAD);
      const timer = setInterval(() => socket.write(chunked('data: tick\n\n')), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const ended = await probe(`${server.url}/ticker`, '--for', '300ms');
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/▲ stopped after 0?\.?\d+ m?s · /);
    const running = start(['probe', `${server.url}/ticker`]);
    await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    running.kill('SIGINT');
    const { code, stdout } = await running.done;
    expect(code).toBe(130);
    expect(stdout).toMatch(/stopped after .*, interrupted/);
  });
});

describe('against the simulator', () => {
  const simulator = createSimulator({
    seed: 3,
    profiles: {
      brisk: { ttft: { shape: 'constant', mean: 30, sd: 0 }, gap: { shape: 'constant', mean: 3, sd: 0 } },
    },
  });
  let url = '';
  beforeAll(async () => {
    url = `${(await simulator.listen()).url}/v1`;
  });
  afterAll(() => simulator.close());
  const openai = [
    '--provider',
    'openai',
    '--api-key',
    'sk-e2e-key',
    '--model',
    'brisk',
    '--max-tokens',
    '12',
  ];

  test('one request in full', async () => {
    const { code, stdout, stderr } = await probe(url, ...openai);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^✔ ok · /m);
    expect(stdout).toMatch(/^TTFB .* · TTFT .* · total /m);
    expect(stdout).toMatch(/^tokens +12 out \(counted by the provider\)/m);
    expect(stdout).not.toContain('sk-e2e-key');
    // The simulator's streams leave nothing to say.
    expect(stdout).not.toMatch(/^lint/m);
  });

  test('several: one on a new connection, the others on that, and the difference', async () => {
    const { stdout } = await probe(url, ...openai, '-n', '3');
    expect(stdout).toMatch(
      /^cold and warm \(p50 of 2\), time since start\n +cold +warm +saved\ntcp +\S+ ms +—\n/m,
    );
    const { requests, cold, warm } = await json(url, ...openai, '-n', '3');
    expect(requests.map(({ record }) => record.connection?.reused)).toEqual([false, true, true]);
    expect([cold.n, warm.n]).toEqual([1, 2]);
    const each = await json(url, ...openai, '-n', '3', '--connection', 'per-request');
    expect(each.requests.map(({ record }) => record.connection?.reused)).toEqual([false, false, false]);
  });

  test('beside the whole answer', async () => {
    const report = await json(url, ...openai, '--mode', 'both', '-n', '2');
    expect(report.requests.map(({ record }) => record.mode)).toEqual(['streaming', 'streaming']);
    expect(report.whole!.requests.map(({ record }) => record.mode)).toEqual(Array(2).fill('non-streaming'));
    expect(report.whole!.totalMs).toBeGreaterThan(30);
    expect((await probe(url, ...openai, '--mode', 'both')).stdout).toMatch(
      /^without streaming: whole answer after /m,
    );
  });
});

describe('the connection', () => {
  test('with an authority of its own', async () => {
    const server = await chat({ secure: true });
    const { record } = (await json(chatUrl(server), '--ca', CA_FILE)).requests[0]!;
    expect(record).toMatchObject({ outcome: { kind: 'ok' }, connection: { tls: 'TLSv1.3', protocol: 'h1' } });
    expect(record.marks.tls).toBeGreaterThan(record.marks.tcp!);
    expect((await probe(chatUrl(server), '--insecure')).code).toBe(0);
    const { code, stdout, stderr } = await probe(chatUrl(server));
    expect(code).toBe(7);
    expect(stdout).toMatch(
      /✘ network: .*\n→ the certificate is signed by an unknown authority[\s\S]*--insecure/,
    );
    expect(stdout).toMatch(/^connecting .*✘ failed$/m);
    expect(stderr).toBe('exit 7: a target is unreachable, or all of its requests failed\n');
  });

  test('of HTTP/2, with and without TLS', async () => {
    for (const secure of [true, false]) {
      const server = await chat({ secure, http: 2, maxConcurrentStreams: 25 });
      const { stdout, code } = await probe(chatUrl(server), '--http', '2', '--insecure', '-n', '2');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^HTTP\/2 200 · .*new connection · up to 25 streams$/m);
      expect(server.accepted()).toBe(1);
    }
    const old = await chat({ secure: true });
    expect((await probe(chatUrl(old), '--http', '2', '--insecure')).stdout).toContain('--http 1');
  });

  test('over a unix socket', async () => {
    const unix = join(folder.path, 's.sock');
    await chat({ unix });
    const { code, stdout } = await probe('http://localhost/v1/chat/completions', '--unix', unix);
    expect(code).toBe(0);
    expect(stdout).toContain(`· unix:${unix} ·`);
    const missing = join(folder.path, 'none.sock');
    expect((await probe('http://localhost/', '--unix', missing)).stdout).toMatch(
      /ENOENT[\s\S]*no unix socket/,
    );
  });

  test('by a proxy, which is named and whose password is not', async () => {
    const server = await chat();
    const proxy = await kept(proxyServer());
    const url = proxy.url.replace('//', '//me:proxy-pass-1@');
    const { code, stdout, stderr } = await probe(chatUrl(server), '--proxy', url);
    expect(code).toBe(0);
    expect(proxy.heads[0]).toContain(Buffer.from('me:proxy-pass-1').toString('base64'));
    expect(stdout).toContain(`through proxy 127.0.0.1:${proxy.port}`);
    expect(stdout + stderr).not.toContain('proxy-pass-1');
    const refusing = await kept(proxyServer({ refuse: () => 'HTTP/1.1 403 Forbidden' }));
    const https = await chat({ secure: true });
    const refused = await probe(chatUrl(https), '--proxy', refusing.url, '--ca', CA_FILE);
    expect(refused.code).toBe(7);
    expect(refused.stdout).toMatch(/refused to connect to the service \(HTTP 403 Forbidden\)\n→ /);
    expect(https.accepted()).toBe(0);
  });

  test('to an address that is given, and to a host that nobody knows', async () => {
    const server = await chat();
    const url = `http://somewhere.invalid:${server.port}/v1/chat/completions`;
    const pin = `somewhere.invalid:${server.port}:127.0.0.1`;
    expect((await probe(url, '--resolve', pin)).code).toBe(0);
    expect(server.requests[0]!.headers.host).toBe(`somewhere.invalid:${server.port}`);
    const { code, stdout } = await probe(url);
    expect(code).toBe(7);
    expect(stdout).toMatch(/✘ network: .*somewhere\.invalid\n→ /);
    expect(server.accepted()).toBe(1);
  });

  test('by a file of authorities that is none is refused before anything is sent', async () => {
    const server = await chat({ secure: true });
    const text = join(folder.path, 'text.pem');
    writeFileSync(text, 'hello');
    for (const [file, message] of [
      [text, `--ca: ${text} contains no certificate`],
      [join(folder.path, 'none.pem'), `--ca: file not found: ${join(folder.path, 'none.pem')}`],
    ] as const) {
      expect(existsSync(file)).toBe(file === text);
      const { code, stdout, stderr } = await probe(chatUrl(server), '--ca', file);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(message);
    }
    expect(server.accepted()).toBe(0);
  });
});

describe('a failure is drawn as well', () => {
  const page = '<!doctype html><title>Sign in</title>';
  test.each<[string, (socket: Socket) => unknown, RegExp[]]>([
    [
      '401 with a body',
      whole('401 Unauthorized\r\ncontent-type: application/json', '{"error":{"message":"no such key"}}'),
      [/^✘ HTTP 401: no such key\n {2}\| \{"error":.*\n→ check the key/m, /^end /m],
    ],
    [
      'a web page',
      whole('200 OK\r\ncontent-type: text/html', page),
      [
        /✘ not_a_stream: the answer is an HTML page/,
        /^ {2}\| <!doctype html>/m,
        /→ this looks like a web page/,
      ],
    ],
    [
      'a stream that is cut',
      (socket) =>
        socket.end(SSE_HEAD + chunked(chatChunk({ content: 'Hel' }) + chatChunk({ content: 'lo' }))),
      [/✘ truncated: /, /^rest .*✘ failed$/m, /^answer +“Hello”$/m, /^lint +error: /m],
    ],
    ['no answer at all', (socket) => socket.destroy(), [/✘ network: /, /^headers .*✘ failed$/m]],
  ])('%s', async (_name, answer, patterns) => {
    const server = await raw((socket) => void answer(socket));
    const { code, stdout, stderr } = await probe(chatUrl(server), '--model', 'm');
    expect(code).toBe(7);
    for (const pattern of patterns) expect(stdout).toMatch(pattern);
    expect(stderr).toBe('exit 7: a target is unreachable, or all of its requests failed\n');
    const { requests } = await json(chatUrl(server), '--model', 'm');
    expect(requests[0]!.record.outcome.kind).not.toBe('ok');
  });
});
