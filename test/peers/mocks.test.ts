import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AGUIMock, LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type StreamClient } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import type { Observation } from '../../src/model/record.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { NOT_INSTALLED, PEERS_FOLDER, peersInstalled } from './installed.ts';

// Servers that share no code with ours answer our client.

const TEXT = 'Hello wörld, 你好 🙂: a text that comes in a good many pieces.';
const REASONING = 'Let me think about it.';
/** Characters a piece. */
const CHUNK = 4;
const PIECES = Math.ceil(TEXT.length / CHUNK);

async function read(client: StreamClient, prompt: string) {
  const stream = client.stream({ prompt });
  const events: StreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return heardOf(events, await stream.result);
}

async function readWhole(client: StreamClient, prompt: string) {
  const { events, observation } = await client.complete({ prompt });
  return heardOf(events, observation);
}

const WAYS = [
  ['stream', read],
  ['whole', readWhole],
] as const;

function heardOf(events: readonly StreamEvent[], observation: Observation) {
  const { text, thinking, calls } = gather(events);
  return {
    text,
    thinking,
    calls: calls.map((call) => ({ name: call.name, arguments: JSON.parse(call.arguments || '{}') })),
    observation,
    kind: observation.outcome.kind,
    finish: observation.finish?.reason,
  };
}

type Missing = 'usage' | 'reasoning' | 'calls';

/** The APIs of aimock, and what it does not send on them, or not as the provider would. */
const APIS: readonly [dialect: string, base: string, ...missing: Missing[]][] = [
  ['openai-chat', '/v1'],
  ['openai-chat', '/api/paas/v4'],
  ['openai-chat', '/api/v1'],
  ['openai-responses', '/v1'],
  ['anthropic', '/v1'],
  ['gemini', '/v1beta'],
  // Reasoning comes as a second block of text.
  ['cohere', '', 'reasoning'],
  ['bedrock-converse', ''],
  ['ollama-chat', '', 'usage'],
  ['ollama-generate', '', 'usage', 'calls'],
];

describe.skipIf(!peersInstalled())('@copilotkit/aimock', () => {
  let mock: LLMock;
  let url: string;

  beforeAll(async () => {
    const aimock = await import('@copilotkit/aimock');
    mock = new aimock.LLMock({ port: 0, host: '127.0.0.1', chunkSize: CHUNK, logLevel: 'silent' });
    const usage = {
      ...{ prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
      ...{ input_tokens: 11, output_tokens: 7 },
      ...{ promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 },
    };
    // Slow enough that each piece is a write of its own.
    const paced = { streamingProfile: { ttft: 5, tps: 400, jitter: 0 } };
    mock
      .onMessage('plain', { content: TEXT, usage }, paced)
      .onMessage('reason', { content: TEXT, reasoning: REASONING }, paced)
      .onMessage('lookup', {
        toolCalls: [
          { name: 'weather', arguments: { place: '北京', days: 3 } },
          { name: 'now', arguments: {} },
        ],
      })
      .onMessage('limited', {
        error: { message: 'slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded' },
        status: 429,
      })
      .onMessage('failing', { error: { message: 'out of order', type: 'server_error' }, status: 503 })
      .onMessage('cut', { content: TEXT }, { ...paced, truncateAfterChunks: 8 })
      .onMessage('leave', { content: TEXT.repeat(10) }, { ...paced, disconnectAfterMs: 60 });
    url = await mock.start();
  });

  afterAll(() => mock?.stop());

  describe.each(APIS)('%s at %s/', (dialect, base, ...missing) => {
    let client: StreamClient;
    beforeAll(() => {
      client = createClient({ baseUrl: url + base, dialect, model: 'm', apiKey: 'none' });
    });
    afterAll(() => client?.close());

    it('text and usage, piece by piece', async () => {
      const { text, kind, finish, observation } = await read(client, 'plain');
      expect({ text, kind, finish }).toEqual({ text: TEXT, kind: 'ok', finish: 'stop' });
      expect(observation.contentEvents).toBe(PIECES);
      expect(observation.reads).toBeGreaterThan(PIECES / 2);
      const { marks, tokens } = observation;
      expect(marks.firstToken).toBeGreaterThanOrEqual(marks.firstByte!);
      expect(marks.lastToken! - marks.firstToken!).toBeGreaterThan(PIECES);
      if (missing.includes('usage')) expect(tokens).toMatchObject({ output: PIECES, source: 'chunks' });
      else expect(tokens).toMatchObject({ output: 7, input: 11, source: 'usage' });
    });

    it('the same in a whole answer', async () => {
      const { text, kind, finish, observation } = await readWhole(client, 'plain');
      expect({ text, kind, finish }).toEqual({ text: TEXT, kind: 'ok', finish: 'stop' });
      if (!missing.includes('usage')) expect(observation.tokens).toMatchObject({ output: 7, input: 11 });
    });

    it.each(missing.includes('reasoning') ? [] : WAYS)('reasoning: %s', async (_name, how) => {
      const { text, thinking, kind } = await how(client, 'reason');
      expect({ text, thinking, kind }).toEqual({ text: TEXT, thinking: REASONING, kind: 'ok' });
    });

    it.each(missing.includes('calls') ? [] : WAYS)('two tool calls: %s', async (_name, how) => {
      const { calls, kind } = await how(client, 'lookup');
      expect(kind).toBe('ok');
      expect(calls).toEqual([
        { name: 'weather', arguments: { place: '北京', days: 3 } },
        { name: 'now', arguments: {} },
      ]);
    });

    it.each(WAYS)('refusals: %s', async (_name, how) => {
      expect((await how(client, 'limited')).observation.outcome).toMatchObject({
        kind: 'rate_limited',
        status: 429,
        message: expect.stringContaining('slow down'),
      });
      expect((await how(client, 'failing')).observation.outcome).toMatchObject({
        kind: 'http_error',
        status: 503,
        message: expect.stringContaining('out of order'),
      });
    });

    it.each(['cut', 'leave'])('a server that goes away: %s', async (prompt) => {
      const { text, observation } = await read(client, prompt);
      expect(observation.outcome.kind).toBe('truncated');
      expect(observation.finish).toBeUndefined();
      expect(TEXT.repeat(10).startsWith(text)).toBe(true);
      expect(observation.partial).toBe(text === '' ? undefined : true);
    });
  });
});

describe.skipIf(!peersInstalled())('@copilotkit/aimock, AG-UI', () => {
  let mock: AGUIMock;
  let client: StreamClient;

  beforeAll(async () => {
    const aimock = await import('@copilotkit/aimock');
    mock = new aimock.AGUIMock({ port: 0, host: '127.0.0.1' });
    mock
      .onMessage('plain', TEXT)
      .onReasoning('reason', REASONING)
      .onToolCall('lookup', 'weather', '{"days":3}');
    client = createClient({ baseUrl: await mock.start(), dialect: 'ag-ui' });
  });

  afterAll(async () => {
    client?.close();
    await mock?.stop();
  });

  it('text, reasoning and tool calls', async () => {
    expect(await read(client, 'plain')).toMatchObject({ text: TEXT, kind: 'ok' });
    expect(await read(client, 'reason')).toMatchObject({ thinking: REASONING, kind: 'ok' });
    const { calls, kind } = await read(client, 'lookup');
    expect({ calls, kind }).toEqual({ calls: [{ name: 'weather', arguments: { days: 3 } }], kind: 'ok' });
  });
});

describe.skipIf(!peersInstalled())('@dwmkerr/mock-llm', () => {
  let server: ChildProcess;
  let folder: string;
  let options: ClientOptions;
  let client: StreamClient;

  const answer = (content: string) =>
    JSON.stringify({
      id: 'a1',
      object: 'chat.completion',
      model: 'm',
      choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 9, total_tokens: 12 },
    });
  const rule = (prompt: string, status: number, content: string) => ({
    path: '/v1/chat/completions',
    match: `contains(body.messages[-1].content, '${prompt}')`,
    response: { status, content },
  });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'streambench-mock-llm-'));
    const config = join(folder, 'config.json');
    // YAML reads JSON.
    const rules = [
      rule('plain', 200, answer(TEXT)),
      rule('failing', 500, '{"error":{"message":"out of order","type":"server_error"}}'),
    ];
    writeFileSync(config, JSON.stringify({ streaming: { chunkSize: CHUNK, chunkIntervalMs: 3 }, rules }));
    const port = await freePort();
    const main = join(PEERS_FOLDER, 'node_modules/@dwmkerr/mock-llm/dist/main.js');
    server = spawn(process.execPath, [main, '--config', config], {
      env: { ...process.env, HOST: '127.0.0.1', PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Read to the end: a program that cannot write its log would stop.
    await new Promise<void>((resolve, reject) => {
      server.stdout!.on('data', (piece) => String(piece).includes('running on') && resolve());
      server.once('exit', (code) => reject(new Error(`mock-llm ended with code ${code}`)));
    });
    options = { baseUrl: `http://127.0.0.1:${port}/v1`, dialect: 'openai-chat', model: 'm', auth: 'none' };
    client = createClient(options);
  });

  afterAll(async () => {
    client?.close();
    if (server?.exitCode === null && server.kill()) await once(server, 'exit');
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it('a stream that counts nothing: the last piece has the finish reason', async () => {
    const { text, kind, finish, observation } = await read(client, 'plain');
    expect({ text, kind, finish }).toEqual({ text: TEXT, kind: 'ok', finish: 'stop' });
    expect(observation.tokens).toMatchObject({ output: PIECES, source: 'chunks' });
  });

  it('a whole answer, with its counts', async () => {
    const { text, kind, observation } = await readWhole(client, 'plain');
    expect({ text, kind }).toEqual({ text: TEXT, kind: 'ok' });
    expect(observation.tokens).toMatchObject({ output: 9, input: 3, source: 'usage' });
  });

  it('a failure inside a stream that began with status 200 is no success', async () => {
    const { kind, observation } = await read(client, 'failing');
    expect({ kind, status: observation.status }).toEqual({ kind: 'inband_error', status: 200 });
    expect(observation.outcome.message).toContain('out of order');
  });

  it('a failure with a status', async () => {
    expect((await readWhole(client, 'failing')).observation.outcome).toMatchObject({
      kind: 'http_error',
      status: 500,
      message: expect.stringContaining('out of order'),
    });
  });

  it('no such path', async () => {
    const lost = createClient({ ...options, baseUrl: `${options.baseUrl}/nowhere` });
    expect((await read(lost, 'plain')).observation.outcome).toMatchObject({
      kind: 'http_error',
      status: 404,
    });
    lost.close();
  });
});

/** A port that was free a moment ago, for a program that cannot tell which one it took. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

if (!peersInstalled()) it.skip(`mock servers of others: ${NOT_INSTALLED}`, () => {});
