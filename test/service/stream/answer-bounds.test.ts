import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { AnswerBounds } from '../../../src/service/stream/answer-bounds.ts';
import { chatChunk, chunked, rawServer, SSE_HEAD } from '../../support/raw-server.ts';
import { serveProcess } from '../serve-process.ts';
import { clientOf, closedAfterEach, decode, messagesOf, startService, textOf, until } from '../support.ts';

describe('the bytes of an answer', () => {
  const bounds = (maxAnswerBytes: number) => {
    const passed: string[] = [];
    return {
      passed,
      answer: new AnswerBounds({ maxAnswerBytes, maxUnreadBytes: 1_000 }, () => passed.push('answer')),
    };
  };

  test('content counts over all requests of an answer', () => {
    const { answer, passed } = bounds(100);
    for (const _ of [1, 2]) answer.startResponse('streamed').decoded(50);
    expect(passed).toEqual([]);
    answer.startResponse('streamed').decoded(1);
    expect(passed).toEqual(['answer']);
  });

  test('bytes without content, such as comments, count too', () => {
    const { answer, passed } = bounds(1_000);
    const meter = answer.startResponse('streamed');
    for (let read = 0; read < 90; read++) {
      meter.received(1_000);
      meter.decoded(0);
    }
    expect(passed[0]).toBe('answer');
  });
});

const open = closedAfterEach();

/** A model that never stops, as fast as it is read. A message that contains "slow" gets an answer of some 20 chunks instead. */
async function endlessModel(piece = chatChunk({ content: 'lorem ipsum ' })) {
  const sockets = new Set<Socket>();
  const lump = chunked(piece).repeat(Math.ceil(60_000 / piece.length));
  const server = await rawServer((socket, request) => {
    socket.write(SSE_HEAD);
    if (request.includes('slow')) {
      let left = 20;
      const timer = setInterval(() => {
        if (left-- > 0) socket.write(chunked(chatChunk({ content: `${left} ` })));
        else socket.end(`${chunked(`${chatChunk({}, 'stop')}data: [DONE]\n\n`)}0\r\n\r\n`);
        if (left < 0) clearInterval(timer);
      }, 20);
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const pour = () => {
      while (!socket.destroyed && socket.write(lump));
    };
    socket.on('drain', pour);
    pour();
  });
  open.push(server);
  return { server, flowing: () => sockets.size };
}

/** A client that sends a chat request and reads nothing of its answer. */
function deaf(url: string, token: string, session: string, path = '/chat/stream'): Socket {
  const body = JSON.stringify({ message: 'Hello', session_id: session });
  const socket = connect(Number(new URL(url).port), '127.0.0.1').pause();
  socket.on('error', () => {});
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n`;
  socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
  return socket;
}

test('an endless answer is cut at the limit with an error event, and stored as partial', async () => {
  const model = await endlessModel();
  const service = await startService(
    [{ name: 'endless', model: 'm', client: clientOf(`${model.server.url}/v1`) }],
    { maxAnswerBytes: 100_000 },
  );
  open.push(service);
  const response = await service.post('/chat/stream', { message: 'Hello', session_id: 's' });
  const { events } = decode('conversation', await response.text());
  expect(events.at(-1)).toMatchObject({ type: 'error', code: 'too_large' });
  const text = textOf(events);
  expect(text.length).toBeGreaterThan(90_000);
  expect(text.length).toBeLessThanOrEqual(100_000);
  await until(() => model.flowing() === 0);
  expect((await messagesOf(service, 's'))[1]).toMatchObject({
    content: text,
    partial: true,
    reason: 'too_large',
  });
  expect(await (await service.get('/metrics')).text()).toContain('status="too_large"} 1');
});

test.each([
  ['events without a content', 'data: {"object":"nothing"}\n\n'],
  ['comments', ': comment\n\n'],
  ['a line without an end', 'data: aaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  ['reasoning', chatChunk({ reasoning_content: 'hm, ' })],
  ['tool calls', chatChunk({ tool_calls: [{ index: 0, function: { arguments: '[[[[[[' } }] })],
  ['tool calls without number', chatChunk({ tool_calls: [{ function: { name: 'f', arguments: '{' } }] })],
])('%s without an end are cut too', async (_name, piece) => {
  const model = await endlessModel(piece);
  const service = await startService(
    [{ name: 'endless', model: 'm', client: clientOf(`${model.server.url}/v1`) }],
    // More than may come over the wire for such an answer (16 bytes for each, and 64 KB): a machine that is slow to read
    // what the model pours out would else pass this limit first.
    { maxAnswerBytes: 20_000, maxUnreadBytes: 400_000 },
  );
  open.push(service);
  const response = await service.post('/chat/stream', { message: 'Hello', session_id: 's' });
  // Before the first event it is a status, after it an event.
  expect(await response.text()).toMatch(/too_large/);
  await until(() => model.flowing() === 0);
  expect((await messagesOf(service, 's'))[1]).toMatchObject({ partial: true, reason: 'too_large' });
});

test.each([
  ['/chat', {}],
  ['/chat/stream', { mode: 'legacy' }],
])('a whole answer without an end is not gathered: %s %j', async (path, more) => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
  const server = await rawServer((socket) => {
    const lump = chunked('a'.repeat(20_000));
    const pour = () => {
      while (!socket.destroyed && socket.write(lump));
    };
    socket.write(`${head}${chunked('{"choices":[{"message":{"content":"')}`);
    socket.on('drain', pour);
    pour();
  });
  open.push(server);
  const service = await startService(
    [{ name: 'endless', model: 'm', client: clientOf(`${server.url}/v1`) }],
    { maxAnswerBytes: 100_000 },
  );
  open.push(service);
  const response = await service.post(path, { message: 'Hello', session_id: 's', ...more });
  expect(response.status).toBe(502);
  expect(await response.json()).toMatchObject({ error: { code: 'answer_too_large' } });
  expect((await messagesOf(service, 's'))[1]).toMatchObject({ partial: true, reason: 'too_large' });
});

// Sockets with a small receive buffer, which Node cannot ask for: without it megabytes fit between here and the service.
const DEAF = `
import socket, sys
port, token, prefix = int(sys.argv[1]), sys.argv[2], sys.argv[3]
open_sockets = []
for i in range(20):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", port))
    body = '{"message":"Hello","session_id":"%s-%d"}' % (prefix, i)
    s.sendall(("POST /chat/stream HTTP/1.1\\r\\nhost: x\\r\\nauthorization: Bearer %s\\r\\ncontent-length: %d\\r\\n\\r\\n%s" % (token, len(body), body)).encode())
    open_sockets.append(s)
sys.stdin.read()
`;

test('an event nested 9,000 deep fails its own answer; another answer continues', async () => {
  const deep = `data: {"error":${'{"error":'.repeat(9_000)}"x"${'}'.repeat(9_000)}}\n\n`;
  const release: (() => void)[] = [];
  const model = await rawServer((socket, request) => {
    socket.write(SSE_HEAD + chunked(chatChunk({ content: 'begun ' })));
    if (request.includes('deep')) socket.write(chunked(deep));
    else
      release.push(() => {
        const rest = `${chatChunk({ content: 'ended' })}${chatChunk({}, 'stop')}data: [DONE]\n\n`;
        socket.write(`${chunked(rest)}0\r\n\r\n`);
      });
  });
  open.push(model);
  const client = clientOf(`${model.url}/v1`);
  const service = await startService([{ name: 'deep', model: 'm', client }], {});
  open.push(service);
  const other = service.post('/chat/stream', { message: 'flat', session_id: 'other' });
  await until(() => release.length === 1);
  const response = await service.post('/chat/stream', { message: 'deep', session_id: 's' });
  expect(decode('conversation', await response.text()).events.at(-1)).toMatchObject({
    type: 'error',
    message: expect.stringMatching(/nested deeper than 512 levels/),
  });
  for (const go of release) go();
  expect(textOf(decode('conversation', await (await other).text()).events)).toBe('begun ended');
});

test('clients that stop reading an endless answer take little memory, and no other client waits', async () => {
  const model = await endlessModel(chatChunk({ content: 'lorem ipsum '.repeat(40) }));
  const url = `${model.server.url}/v1`;
  const service = await serveProcess([
    ...['--upstream', 'openai', '--upstream-url', url, '--model', 'm', '--stall-limit', '500ms'],
  ]);
  const memory = async () => {
    const text = await (await service.get('/metrics?name[]=process_resident_memory_bytes')).text();
    return Number(/^process_resident_memory_bytes (\d+)/m.exec(text)?.[1]) / 1e6;
  };
  const others = async () => {
    const response = await service.post('/chat/stream', { message: 'slow, please' });
    return textOf(decode('conversation', await response.text()).events)
      .trim()
      .split(' ').length;
  };
  const readers: ChildProcess[] = [];
  const stopReading = async (prefix: string) => {
    const before = model.server.requests.length;
    const args = ['-c', DEAF, new URL(service.url).port, service.token, prefix];
    readers.push(spawn('python3', args, { stdio: ['pipe', 'ignore', 'inherit'] }));
    await until(() => model.server.requests.length === before + 20, 60_000);
  };
  try {
    expect(await others()).toBe(20);
    // The first streams make the code warm and the heap find its size.
    await stopReading('warm');
    await until(() => model.flowing() === 0, 60_000);
    // Each of the 20 may have 2 MiB of answer text, which exists twice while it is stored, and 256 KiB that wait: 90 MB, and
    // garbage that is not collected yet. Without limits it would be 30 MB more each second.
    const before = await memory();
    for (const round of ['one', 'two']) {
      await stopReading(round);
      expect(await others()).toBe(20);
      expect((await memory()) - before).toBeLessThan(160);
      await until(() => model.flowing() === 0, 60_000);
      // The process keeps the pages of its peak.
      expect((await memory()) - before).toBeLessThan(160);
    }
    const messages = await service.get('/sessions/two-7/messages');
    expect(await messages.json()).toMatchObject({
      // Which limit is passed first depends on how much the sockets on the way hold.
      messages: [{}, { partial: true, reason: expect.stringMatching(/^(client_stalled|too_large)$/) }],
    });
  } finally {
    for (const reader of readers) reader.kill();
    await service.end('SIGTERM');
  }
}, 240_000);

test('a client that does not read a whole answer is disconnected after the stall limit', async () => {
  const text = 'x'.repeat(20_000_000);
  const body = JSON.stringify({
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
  });
  const server = await rawServer((socket) =>
    socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    ),
  );
  open.push(server);
  const service = await startService([{ name: 'large', model: 'm', client: clientOf(`${server.url}/v1`) }], {
    staleMs: 300,
    maxAnswerBytes: 64_000_000,
  });
  open.push(service);
  const socket = deaf(service.url, service.token, 's', '/chat');
  await until(async () => (await connections(service.url)) === 2);
  await until(() => server.requests.length === 1);
  // What is left is the connection that asks for this.
  await until(async () => (await connections(service.url)) === 1, 15_000);
  socket.destroy();
});

async function connections(url: string): Promise<number> {
  const health = (await (await fetch(`${url}/api/v1/health/stream`)).json()) as {
    active_connections: number;
  };
  return health.active_connections;
}
