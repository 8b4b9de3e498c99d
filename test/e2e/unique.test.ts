import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { createNonces } from '../../src/engine/executor.ts';
import type { Report } from '../../src/model/report.ts';
import { ROOT, scratch, streambench } from '../support/program.ts';
import {
  CHUNKED_END,
  chatChunk,
  chunked,
  type RawServer,
  rawServer,
  SSE_HEAD,
} from '../support/raw-server.ts';

// Each test runs the program several times.
vi.setConfig({ testTimeout: 60_000 });

const folder = scratch();
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => folder.dispose());

const STREAM = [
  chatChunk({ content: 'Hel' }),
  chatChunk({ content: 'lo' }),
  chatChunk({}, 'stop'),
  'data: [DONE]\n\n',
];
const WHOLE = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
});

/** Answers at once, streaming or whole as the body asks. */
async function serve(): Promise<RawServer> {
  const server = await rawServer((socket, request) => {
    if (request.includes('"stream":true'))
      socket.write(SSE_HEAD + STREAM.map(chunked).join('') + CHUNKED_END);
    else {
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${WHOLE.length}\r\n\r\n`;
      socket.write(head + WHOLE);
    }
  });
  open.push(server);
  return server;
}

/** The bodies that a server was sent. */
function bodies({ requests }: RawServer): string[] {
  return requests.map((request) => request.slice(request.indexOf('\r\n\r\n') + 4));
}

function contents(server: RawServer): string[] {
  return bodies(server).map(
    (body) => (JSON.parse(body) as { messages: { content: string }[] }).messages[0]!.content,
  );
}

let count = 0;
async function run(scenario: string, ...flags: string[]): Promise<Report> {
  const output = join(folder.path, `out${count}`);
  const file = join(folder.path, `s${count++}.yaml`);
  writeFileSync(file, scenario);
  const { code, stderr } = await streambench(['run', file, '-o', output, ...flags]);
  expect(code, stderr).toBe(0);
  return JSON.parse(readFileSync(join(output, readdirSync(output)[0]!, 'report.json'), 'utf8')) as Report;
}

const scenario = ({ url }: RawServer, more = '') => `version: 1
name: unique
targets:
  - { name: a, url: "${url}/v1", dialect: openai-chat, model: m }
  - { name: b, url: "${url}/v1", dialect: openai-chat, model: m }
prompts: [{ name: p, text: The same words again and again. }]
modes: [streaming, non-streaming]
load: { concurrency: [1, 6], requests: 24, rounds: 2, warmup: 3 }
${more}`;

// Two targets, two loads, two modes, each 24 requests and 3 before them.
const REQUESTS = 2 * 2 * 2 * 27;

describe('by default', () => {
  test.each([1, 3])(
    'no two requests begin alike, on %i threads, in any mode, cell, round or warm-up',
    async (threads) => {
      const server = await serve();
      const { run: info } = await run(scenario(server), '--workers', String(threads));
      const sent = contents(server);
      expect(sent).toHaveLength(REQUESTS);
      const nonces = sent.map(
        (content) => /^([0-9a-z]{8})\n\nThe same words again and again\.$/.exec(content)?.[1],
      );
      expect(nonces).not.toContain(undefined);
      expect(new Set(nonces).size).toBe(REQUESTS);
      expect(info.unique).toMatchObject({ prefixChars: 10, same: [] });
      // What the run has kept gives them again.
      const again = Array.from({ length: threads }, (_, index) =>
        createNonces(info.seed, info.unique!.salt, { index, of: threads }),
      ).flatMap((next) => Array.from({ length: REQUESTS }, next));
      expect(again).toEqual(expect.arrayContaining(nonces));
    },
  );

  test('two runs of a scenario have no request in common', async () => {
    const server = await serve();
    for (let i = 0; i < 2; i++) await run(scenario(server), '-c', '1', '-n', '4');
    const sent = bodies(server);
    expect(new Set(sent).size).toBe(sent.length);
  });

  test('the requests of a probe differ as well', async () => {
    const server = await serve();
    const { code, stderr } = await streambench([
      ...['probe', server.url, '--provider', 'openai', '--model', 'm', '-n', '2', '--mode', 'both'],
    ]);
    expect(code, stderr).toBe(0);
    expect(new Set(contents(server).map((content) => content.slice(0, 8))).size).toBe(4);
  });
});

describe('where it is turned off', () => {
  test('by the scenario or by --no-unique, all requests of a mode are the same bytes', async () => {
    for (const [more, ...flags] of [['unique: false\n'], ['', '--no-unique']]) {
      const server = await serve();
      const { run: info } = await run(scenario(server, more), '-n', '4', '-c', '1', ...flags);
      expect(new Set(bodies(server)).size).toBe(2);
      expect(info.unique!.same).toHaveLength(2);
    }
  });

  test('a probe asks what it was told to', async () => {
    const server = await serve();
    await streambench([
      ...['probe', server.url, '--provider', 'openai', '--model', 'm', '--prompt', 'hi', '--no-unique'],
    ]);
    expect(contents(server)).toEqual(['hi']);
  });
});

describe('a body of its own', () => {
  const own = ({ url }: RawServer, body: string) =>
    scenario({ url } as RawServer).replaceAll('model: m }', `model: m, body: ${body} }`);

  test('has each request’s values, whole or streaming', async () => {
    const server = await serve();
    const body = '\'{"q": "{{prompt}}", "stream":{{stream}}, "m": "<{{model}}>"}\'';
    await run(own(server, body), '-n', '4', '-c', '1');
    const sent = bodies(server);
    expect(new Set(sent).size).toBe(sent.length);
    for (const one of sent) {
      expect(one).toMatch(
        /^\{"q": "[0-9a-z]{8}\\n\\nThe same words again and again\.", "stream":(true|false), "m": "<m>"\}$/,
      );
    }
    expect(sent.filter((one) => one.includes('"stream":true'))).toHaveLength(sent.length / 2);
  });

  test('that is fixed is sent byte for byte, and the plan and the report say that it is', async () => {
    const server = await serve();
    const text = own(server, '\'{"stream":true , "n":1.0}\'').replace(', non-streaming', '');
    const report = await run(text, '-n', '4', '-c', '1');
    expect(new Set(bodies(server))).toEqual(new Set(['{"stream":true , "n":1.0}']));
    expect(report.run.unique!.same.map(({ target, asked }) => [target, asked])).toEqual([
      ['a', false],
      ['b', false],
    ]);
    const file = join(folder.path, 'fixed.yaml');
    writeFileSync(file, text);
    const { stdout } = await streambench(['run', file, '--dry-run']);
    expect(stdout).toContain(
      'Not unique: all requests to a, b are identical (the body has no {{prompt}}, {{messages}} or {{nonce}}).',
    );
  });
});

const HAS_PYTHON = spawnSync('python3', ['--version']).status === 0;

describe.skipIf(!HAS_PYTHON)('against a server with a prefix cache', () => {
  const MISS_MS = 250;

  /** The witness in Python: `MISS_MS` for a prompt that it does not know, 10 ms for one that it does. */
  async function cachingServer(): Promise<string> {
    const script = join(ROOT, 'test/support/prefix-cache-server.py');
    const child = spawn('python3', [script, String(MISS_MS), '10'], { stdio: ['ignore', 'pipe', 'inherit'] });
    open.push({ close: () => child.kill() });
    const port = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim()));
    });
    return `http://127.0.0.1:${port}`;
  }

  const text = (url: string) => `version: 1
name: cache
targets: [{ name: a, url: "${url}/v1", dialect: openai-chat, model: m }]
prompts: [{ name: p, text: "${Array.from({ length: 400 }, (_, i) => `w${i}`).join(' ')}" }]
modes: [streaming, non-streaming]
load: { concurrency: 2, requests: 6, rounds: 3 }
`;

  test('what is measured is the model, and nothing came from the cache', async () => {
    const url = await cachingServer();
    for (let i = 0; i < 2; i++) {
      const { cells } = await run(text(url));
      for (const { metrics, cache } of cells) {
        // A busy machine may note late that the request was sent, but not by so much.
        expect(metrics.ttft!.p50).toBeGreaterThan(MISS_MS / 2);
        expect(cache).toMatchObject({ cachedTokens: 0, hit: { requests: 0 }, miss: { requests: 6 } });
      }
    }
  });

  test('with the same prompt each time it is the cache, and the report says so', async () => {
    const url = await cachingServer();
    const { cells } = await run(text(url), '--no-unique');
    for (const { cache, metrics } of cells) {
      expect(cache).toMatchObject({ hit: { requests: 6 }, miss: { requests: 0 } });
      expect(metrics.cached_share!.min).toBe(0.96);
    }
  });
});
