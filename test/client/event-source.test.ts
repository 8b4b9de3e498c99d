import { describe, expect, test } from 'vitest';
import { EventSourceError, eventSource } from '../../src/client/event-source.ts';
import { CHUNKED_END, chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';

const start = rawServers();

/** A server that answers the connections in turn: a text is the body of an event stream, which then ends. */
const served = (...answers: string[]) => {
  let next = 0;
  return start((socket) => {
    const answer = answers[next++] ?? 'HTTP/1.1 204 No Content\r\n\r\n';
    socket.write(answer.startsWith('HTTP/') ? answer : SSE_HEAD + chunked(answer) + CHUNKED_END);
  });
};

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const events: T[] = [];
  for await (const event of source) events.push(event);
  return events;
}

describe('eventSource', () => {
  test('connects again after the last id, and ends with status 204', async () => {
    const server = await served(
      'retry: 1\nid: 1\ndata: a\n\n: note\n\nevent: tick\nid: 2\ndata: b\ndata: c\n\ndata: cut',
      'data: d\n\nid\ndata: e\n\n',
    );
    const source = eventSource(server.url, { headers: { 'x-own': '1' } });
    expect(await all(source)).toEqual([
      { type: 'message', data: 'a', id: '1' },
      { type: 'tick', data: 'b\nc', id: '2' },
      { type: 'message', data: 'd', id: '2' },
      { type: 'message', data: 'e', id: '' },
    ]);
    const ids = server.requests.map((request) => /last-event-id: (.*)\r/i.exec(request)?.[1]);
    expect(ids).toEqual([undefined, '2', undefined]);
    expect(server.requests[0]).toMatch(/accept: text\/event-stream\r/i);
    expect(server.requests[0]).toMatch(/x-own: 1\r/);
    expect(source).toMatchObject({ connections: 3, lastEventId: '' });
  });

  test('an id with a NUL character is ignored', async () => {
    const server = await served('retry: 1\nid: 7\ndata: a\n\nid: 8\0\ndata: b\n\n');
    expect((await all(eventSource(server.url))).map(({ id }) => id)).toEqual(['7', '7']);
  });

  test('an id of any characters is sent back as its UTF-8 bytes', async () => {
    const server = await served('retry: 1\nid: é€😀\ndata: a\n\n');
    expect(await all(eventSource(server.url))).toHaveLength(1);
    expect(server.requests[1]).toContain('last-event-id: é€😀\r');
  });

  test('what fails on every connection is refused at once', () => {
    expect(() => eventSource('events')).toThrow('invalid URL "events"');
    expect(() => eventSource('http://127.0.0.1', { headers: { 'a b': 'c' } })).toThrow(
      /invalid header: .*a b/,
    );
  });

  test('delivers the types that have a decoder, typed', async () => {
    const server = await served(
      'event: tick\ndata: 41\n\nevent: other\ndata: x\n\nevent: done\ndata: yes\n\n',
    );
    const source = eventSource(server.url, { retryMs: 1, events: { tick: Number, done: String } });
    let sum = 0;
    for await (const event of source) {
      if (event.type === 'tick') sum += event.data + 1;
      else expect(event.data satisfies string).toBe('yes');
    }
    expect(sum).toBe(42);
  });

  test('what a decoder throws ends the iteration', async () => {
    const server = await served('data: {\n\n');
    const source = eventSource(server.url, { events: { message: JSON.parse as (text: string) => unknown } });
    await expect(all(source)).rejects.toThrow(SyntaxError);
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ['HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n', 'the server answered with status 500', 500],
    [
      'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi',
      'the answer is not an event stream (content-type: text/html)',
      200,
    ],
  ])('does not connect again after %j', async (answer, message, status) => {
    const server = await served(answer);
    const error = await all(eventSource(server.url, { retryMs: 1 })).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(EventSourceError);
    expect(error).toMatchObject({ message, status });
    expect(server.requests).toHaveLength(1);
  });

  test('goes on after a lost connection, up to a limit in a row', async () => {
    let answered = 0;
    const server = await start((socket) => {
      if (answered++ === 1) socket.write(SSE_HEAD + chunked('data: a\n\n') + CHUNKED_END);
      else socket.destroy();
    });
    const source = eventSource(server.url, { retryMs: 1, maxFailures: 2 });
    const events: string[] = [];
    const reading = (async () => {
      for await (const { data } of source) events.push(data);
    })();
    await expect(reading).rejects.toThrow('2 connections in a row failed');
    expect(events).toEqual(['a']);
    expect(source.connections).toBe(4);
  });

  test.each(['break', 'close', 'signal'])('%s closes the connection', async (how) => {
    let closed = () => {};
    const over = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const server = await start((socket) => {
      socket.on('close', () => closed());
      socket.write(SSE_HEAD + chunked('data: a\n\n'));
    });
    const stop = new AbortController();
    const source = eventSource(server.url, { signal: stop.signal });
    for await (const _ of source) {
      if (how === 'break') break;
      if (how === 'close') source.close();
      else stop.abort();
    }
    await over;
    await expect(all(source)).rejects.toThrow('iterated once');
  });
});
