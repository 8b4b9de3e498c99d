import { afterEach, describe, expect, test } from 'vitest';
import { createClient, type StreamClient } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { RequestFailure } from '../../src/client/request-failure.ts';
import { CHAT_BODY, CHUNKED_END, chatChunk, chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';

const start = rawServers();
const clients: StreamClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function clientOf(baseUrl: string, options: Partial<ClientOptions> = {}): StreamClient {
  const client = createClient({ baseUrl, dialect: 'openai-chat', model: 'm', ...options });
  clients.push(client);
  return client;
}

const chatServer = () => start((socket) => void socket.write(SSE_HEAD + CHAT_BODY));
const cutServer = () =>
  start((socket) => void socket.write(SSE_HEAD + chunked(chatChunk({ content: 'Hel' })) + CHUNKED_END));

describe('an answer stream', () => {
  test('toolCalls gives the calls, whole', async () => {
    const call = (index: number, id: string | undefined, name: string | undefined, args: string) =>
      chatChunk({ tool_calls: [{ index, id, function: { name, arguments: args } }] });
    const server = await start((socket) => {
      const pieces = [
        call(0, 'a', 'weather', '{"city":'),
        call(1, 'b', 'time', '{}'),
        call(0, undefined, undefined, '"Bonn"}'),
        chatChunk({}, 'tool_calls'),
        'data: [DONE]\n\n',
      ];
      socket.write(SSE_HEAD + pieces.map(chunked).join('') + CHUNKED_END);
    });
    const stream = clientOf(server.url).stream({ prompt: 'hi' });
    expect(await stream.toolCalls()).toMatchObject([
      { index: 0, id: 'a', name: 'weather', arguments: '{"city":"Bonn"}' },
      { index: 1, id: 'b', name: 'time', arguments: '{}' },
    ]);
  });

  test('finished leaves the events to their consumer', async () => {
    const server = await chatServer();
    const stream = clientOf(server.url).stream({ prompt: 'hi', aheadBytes: 1 });
    const finished = stream.finished;
    let text = '';
    for await (const event of stream) if (event.type === 'message_chunk') text += event.text;
    expect(text).toBe('Hello');
    expect(await finished).toMatchObject({ stamp: 'socket', outcome: { kind: 'ok' } });
  });

  test('throwOnFailure: the iteration, text, toolCalls and complete throw, result does not', async () => {
    const server = await cutServer();
    const client = clientOf(server.url, { throwOnFailure: true });
    const stream = client.stream({ prompt: 'hi' });
    const events: string[] = [];
    const reading = (async () => {
      for await (const { type } of stream) events.push(type);
    })();
    const error = await reading.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(RequestFailure);
    expect(error).toMatchObject({ kind: 'truncated', observation: { text: 'Hel' } });
    expect(events.at(-1)).toBe('error');
    expect((await stream.result).outcome.kind).toBe('truncated');
    await expect(client.stream({ prompt: 'hi' }).text()).rejects.toThrow(RequestFailure);
    await expect(client.stream({ prompt: 'hi' }).toolCalls()).rejects.toThrow(RequestFailure);
    await expect(client.complete({ prompt: 'hi' })).rejects.toThrow(RequestFailure);
    expect(await client.stream({ prompt: 'hi', throwOnFailure: false }).text()).toBe('Hel');
  });

  test('await using ends the request', async () => {
    let closed = () => {};
    const over = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const server = await start((socket) => {
      socket.on('close', () => closed());
      socket.write(SSE_HEAD + chunked(chatChunk({ content: 'Hel' })));
    });
    const stream = clientOf(server.url).stream({ prompt: 'hi' });
    const first = await stream[Symbol.asyncIterator]().next();
    expect(first.value).toMatchObject({ type: 'start' });
    await stream[Symbol.asyncDispose]();
    expect((await stream.result).outcome).toMatchObject({ kind: 'cancelled' });
    await over;
  });

  test('resume continues a broken stream after its last id', async () => {
    const server = await start((socket, request) => {
      const [, id] = /last-event-id: (\d+)/i.exec(request) ?? [];
      const events =
        id === undefined ? 'retry: 1\nid: 1\ndata: a\n\nid: 2\ndata: b\n\n' : 'id: 3\ndata: c\n\n';
      socket.write(SSE_HEAD + chunked(events), () => {
        if (id === undefined) setTimeout(() => socket.destroy(), 10);
        else socket.write(CHUNKED_END);
      });
    });
    const client = clientOf(server.url, { dialect: 'sse', path: 'exact', method: 'GET' });
    const stream = client.stream({ resume: { max: 3, waitMs: 1 } });
    const seen: [string, number][] = [];
    for await (const event of stream) {
      if (event.type === 'message_chunk') seen.push([event.text, event.read]);
    }
    expect(seen).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 1],
    ]);
    expect(await stream.result).toMatchObject({
      outcome: { kind: 'ok' },
      text: 'abc',
      eventIds: { last: '3', lost: 0 },
      resumptions: [{ lastEventId: '2' }],
    });
  });
});

describe('one client for several endpoints', () => {
  test('at keeps the settings and not the key, and closes with the client', async () => {
    const server = await chatServer();
    const other = await chatServer();
    const client = clientOf(server.url, {
      apiKey: 'sk-of-the-first',
      headers: { 'x-own': '1' },
      throwOnFailure: true,
      limits: { eventBytes: 10 },
    });
    const second = client.at({ baseUrl: other.url, dialect: 'openai-chat', model: 'other' });
    await expect(second.complete({ prompt: 'hi' })).rejects.toThrow(RequestFailure);
    await expect(second.stream({ prompt: 'hi' }).text()).rejects.toMatchObject({ kind: 'too_large' });
    expect(other.requests.join('')).not.toMatch(/sk-of-the-first|x-own/);
    expect(other.requests[0]).toContain('"model":"other"');
    client.close();
  });
});
