import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ServiceOptions } from '../../src/service/index.ts';
import { CHUNKED_END, chunked } from '../support/raw-server.ts';
import { finish, say, startPuppet } from './puppet.ts';
import {
  closedAfterEach,
  decode,
  jsonOf,
  messagesOf,
  startStack,
  type TestService,
  textOf,
  until,
} from './support.ts';

const open = closedAfterEach();

/** A service in front of a model whose bytes the test writes. `ask` sends a request and waits until the model has it. */
async function puppet(options: Partial<ServiceOptions> = {}) {
  const { server, models: sockets, service } = await startPuppet(open, options);
  const ask = async (init?: RequestInit, body: object = {}) => {
    const before = sockets.length;
    const response = service.post('/chat/stream', { message: 'Hello', session_id: 's', ...body }, init);
    response.catch(() => {});
    await until(() => sockets.length > before);
    return { response: await response, model: sockets.at(-1)! };
  };
  return { server, sockets, service, ask, stored: () => storedBy(service) };
}

async function storedBy(service: TestService) {
  const messages = await messagesOf(service, 's');
  return messages.map(({ role, content, partial, reason }) =>
    [role, content, ...(partial ? [reason] : [])].join(': '),
  );
}

const health = ({ url }: TestService) =>
  jsonOf<{ active_streams: number; active_connections: number }>(fetch(`${url}/api/v1/health/stream`));
const active = async (service: TestService) => (await health(service)).active_streams;

/** Reads a response piece by piece. */
function readerOf(response: Response) {
  const reader = response.body!.getReader();
  let text = '';
  const more = async () => {
    const { value, done } = await reader.read();
    text += new TextDecoder().decode(value);
    return !done;
  };
  return {
    async until(wanted: string) {
      while (!text.includes(wanted))
        if (!(await more())) throw new Error(`the stream ended without ${wanted}: ${text}`);
    },
    /** All events, when the stream is over. */
    async events() {
      while (await more());
      return decode('conversation', text).events;
    },
  };
}

describe('the stored messages', () => {
  test('the user’s message is stored before the first byte of the answer', async () => {
    const { ask, stored } = await puppet();
    await ask();
    expect(await stored()).toEqual(['user: Hello']);
  });

  test('normal end: the whole answer is stored before the client receives the end', async () => {
    const { ask, stored } = await puppet();
    const { response, model } = await ask();
    model.write(say('Hel') + say('lo') + finish);
    await readerOf(response).until('"complete"');
    expect(await stored()).toEqual(['user: Hello', 'assistant: Hello']);
  });

  test('upstream error: the text so far, partial, with the reason', async () => {
    const { ask, stored, service } = await puppet();
    const { response, model } = await ask();
    model.write(
      say('Hel') + chunked('data: {"error":{"message":"overloaded","code":"503"}}\n\n') + CHUNKED_END,
    );
    const { events } = decode('conversation', await response.text());
    expect(events.at(-1)).toMatchObject({ type: 'error', message: 'overloaded' });
    expect(await stored()).toEqual(['user: Hello', 'assistant: Hel: upstream_error: overloaded']);
    expect(await (await fetch(`${service.url}/metrics`)).text()).toContain('status="upstream_error"} 1');
  });

  test('upstream cut off: the same', async () => {
    const { ask, stored } = await puppet();
    const { response, model } = await ask();
    model.end(say('Hel'));
    const { events } = decode('conversation', await response.text());
    expect(events.at(-1)?.type).toBe('error');
    expect((await stored())[1]).toMatch(/^assistant: Hel: upstream_error: /);
  });

  test('client gone: the request to the model is cancelled at once, and the text so far is stored', async () => {
    const { ask, stored, service } = await puppet();
    const leaving = new AbortController();
    const { response, model } = await ask({ signal: leaving.signal });
    model.write(say('Hel'));
    await readerOf(response).until('Hel');
    const gone = new Promise<number>((resolve) => model.once('close', () => resolve(performance.now())));
    const leftAt = performance.now();
    leaving.abort();
    expect((await gone) - leftAt).toBeLessThan(2_000);
    await until(async () => (await active(service)) === 0);
    expect(await stored()).toEqual(['user: Hello', 'assistant: Hel: client_gone']);
  });

  test('client gone while the model is silent, and during an answer that is not streamed', async () => {
    const { ask, service } = await puppet();
    for (const body of [{}, { stream: false }, { mode: 'legacy' }]) {
      const leaving = new AbortController();
      const asked = ask({ signal: leaving.signal }, body);
      asked.catch(() => {});
      await until(async () => (await active(service)) === 1);
      leaving.abort();
      await until(async () => (await active(service)) === 0);
    }
  });

  test('closing: active streams can end', async () => {
    const { ask, service } = await puppet({ drainMs: 5_000 });
    const { response, model } = await ask();
    model.write(say('Hel'));
    const reader = readerOf(response);
    await reader.until('Hel');
    const closed = service.service.close();
    model.write(say('lo') + finish);
    expect((await reader.events()).at(-1)?.type).toBe('complete');
    await closed;
  });

  test('closing: streams that do not end are stopped with an error event', async () => {
    const { ask, service } = await puppet({ drainMs: 50 });
    const { response, model } = await ask();
    model.write(say('Hel'));
    const [text] = await Promise.all([response.text(), service.service.close()]);
    const { events } = decode('conversation', text);
    expect(textOf(events)).toBe('Hel');
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'shutdown' });
  });

  test('closing: new chats are refused on connections that are still open', async () => {
    const { ask, service } = await puppet({ drainMs: 1_000 });
    const { response, model } = await ask();
    const late = connect(Number(new URL(service.url).port), '127.0.0.1');
    await new Promise((resolve) => late.once('connect', resolve));
    await until(async () => (await health(service)).active_connections >= 2);
    const closed = service.service.close();
    const answer = new Promise<string>((resolve) => late.once('data', (bytes) => resolve(bytes.toString())));
    late.write(
      `POST /chat HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${service.token}\r\ncontent-length: 15\r\n\r\n{"message":"x"}`,
    );
    expect(await answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*shutting_down/);
    model.write(finish);
    await response.text();
    await closed;
  });
});

test('the model receives the session’s earlier messages, without empty answers', async () => {
  const { ask, server } = await puppet();
  for (const text of ['one', '', 'two']) {
    const { response, model } = await ask();
    model.write((text === '' ? '' : say(text)) + finish);
    await response.text();
  }
  const body = server.requests.at(-1)!.split('\r\n\r\n')[1]!;
  const { messages } = JSON.parse(body) as { messages: { role: string; content: string }[] };
  const roles = messages.map(({ role, content }) => `${role}: ${content}`);
  expect(roles).toEqual(['user: Hello', 'assistant: one', 'user: Hello', 'user: Hello']);
});

test('silence is filled with comments', async () => {
  const { ask } = await puppet({ keepAliveMs: 40 });
  const { response, model } = await ask();
  const reader = readerOf(response);
  await reader.until(': keep-alive\n\n');
  model.write(say('x') + finish);
  expect((await reader.events()).at(-1)?.type).toBe('complete');
});

test('a client that stops reading is disconnected after the stall limit, and no other client waits', async () => {
  const { ask, service, server, sockets, stored } = await puppet({
    staleMs: 3_000,
    maxUnreadBytes: 64_000_000,
    maxAnswerBytes: 64_000_000,
  });
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1').pause();
  const body = '{"message":"Hello","session_id":"s"}';
  const head = [
    'POST /chat/stream HTTP/1.1',
    'host: x',
    `authorization: Bearer ${service.token}`,
    `content-length: ${body.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  await until(() => server.requests.length === 1);
  // More than the sockets' buffers on the way can hold.
  const lump = say('x'.repeat(250_000));
  for (let i = 0; i < 64; i++) sockets[0]!.write(lump);

  const { response, model } = await ask({}, { session_id: 'other' });
  model.write(say('quick') + finish);
  expect(textOf(await readerOf(response).events())).toBe('quick');
  expect(await active(service)).toBe(1);

  await until(async () => (await active(service)) === 0, 15_000);
  const [, answer = ''] = await stored();
  expect(answer).toMatch(/^assistant: x+: client_stalled$/);
  expect(answer.length).toBeLessThan(64 * 250_000);
  socket.destroy();
});

test('reading from the model pauses while the client does not read, and resumes with it', async () => {
  const { service, server, sockets, stored } = await puppet({
    staleMs: 600_000,
    maxUnreadBytes: 100_000,
    maxAnswerBytes: 200_000_000,
  });
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1').pause();
  socket.on('error', () => {});
  const body = '{"message":"Hello","session_id":"s"}';
  const head = `POST /chat/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${service.token}`;
  socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  await until(() => server.requests.length === 1);
  const model = sockets[0]!;
  // Far more than the buffers of two connections hold.
  const lump = say('x'.repeat(10_000));
  const lumps = 2_000;
  let sent = 0;
  const pour = () => {
    while (sent < lumps && model.write(lump)) sent++;
    if (sent >= lumps) model.write(finish);
  };
  model.on('drain', pour);
  pour();
  for (let before = -1, turns = 0; turns < 100; turns = before === sent ? turns + 1 : 0) {
    before = sent;
    await wait(2);
  }
  expect(sent).toBeLessThan(lumps);
  expect(await active(service)).toBe(1);

  let received = 0;
  socket.on('data', (chunk) => (received += chunk.byteLength));
  socket.resume();
  await until(async () => (await active(service)) === 0, 30_000);
  expect(received).toBeGreaterThan(lumps * 10_000);
  // So large a message is listed alone.
  expect((await stored()).at(-1)!.replaceAll(/x+/g, 'x')).toBe('assistant: x');
  socket.destroy();
});

test('a hundred streams at once, each complete, each with its own text', async () => {
  const stack = await startStack({}, 'paced');
  open.push(stack);
  const streams = Array.from({ length: 100 }, async (_, i) => {
    const body = { message: `question number ${i}`, session_id: `n${i}` };
    const { events } = decode('conversation', await (await stack.post('/chat/stream', body)).text());
    expect(events.at(-1)).toMatchObject({ type: 'complete', finish: 'stop' });
    return textOf(events);
  });
  const texts = await Promise.all(streams);
  expect(new Set(texts).size).toBe(100);
  expect(stack.simulator.log.map(({ text }) => text).sort()).toEqual([...texts].sort());
  const kept = await Promise.all(texts.map(async (_, i) => (await messagesOf(stack, `n${i}`))[1]?.content));
  expect(kept).toEqual(texts);
  expect(await active(stack)).toBe(0);
});

test('streams over the limit are refused with a retry-after header', async () => {
  const { ask, service } = await puppet({ maxStreams: 1 });
  const { response, model } = await ask();
  const refused = await service.post('/chat/stream', { message: 'x' });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  model.write(finish);
  await response.text();
});
