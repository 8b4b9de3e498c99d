import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decode, jsonOf, startStack, type TestStack, textOf } from './support.ts';

// What pages and apps of this kind of system send and read. Each test reads the bytes as such a page does, without the
// decoders of this package, and then checks that those decoders read the same.

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const ask = (path: string, body: object = {}) => stack.post(path, { message: 'Hello', ...body });
const textAt = async (path: string, body: object = {}) => (await ask(path, body)).text();

/** The payloads of a stream, as `line.slice(6)` in a page gives them. */
function payloads(sse: string): string[] {
  return sse.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));
}

describe('/chat/stream', () => {
  test('ends with [DONE], after an answer and after an error', async () => {
    for (const model of ['quick', 'failing', 'cut']) {
      const lines = payloads(await textAt('/chat/stream', { model }));
      expect(lines.at(-1)).toBe('[DONE]');
      expect(JSON.parse(lines.at(-2)!)).toMatchObject({ type: model === 'quick' ? 'complete' : 'error' });
    }
  });

  test('our client reads the same events with [DONE] as without', async () => {
    for (const path of ['/chat/stream', '/api/v1/conversations/c1/stream']) {
      const { events } = decode('conversation', await textAt(path));
      expect(events.at(-1)).toEqual({ type: 'complete', finish: 'stop', raw: 'stop' });
      expect(events.filter(({ type }) => type === 'unknown')).toEqual([]);
    }
  });

  test('compat=plain: an error is {"error":"text"}', async () => {
    const sse = await textAt('/chat/stream?compat=plain', { model: 'failing' });
    const [error, done] = payloads(sse).slice(-2);
    expect([Object.keys(JSON.parse(error!)), done]).toEqual([['error'], '[DONE]']);
    const message = (JSON.parse(error!) as { error: string }).error;
    const typed = decode('conversation', await textAt('/chat/stream', { model: 'failing' })).events.at(-1);
    expect(typed).toMatchObject({ type: 'error', message });
    expect(decode('conversation', sse).events.at(-1)).toEqual({ type: 'error', message });
  });

  test('compat=plain: a page that adds up `content` shows the answer without the reasoning', async () => {
    const sse = await textAt('/chat/stream?compat=plain', { model: 'thinking' });
    const page = payloads(sse)
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { content?: string }).content ?? '')
      .join('');
    const { events } = decode('conversation', sse);
    expect(page).toBe(textOf(events));
    expect(events.filter(({ type }) => type === 'thinking')).toHaveLength(3);
  });

  test('compat=plain: a refusal is {"error":"text"} too', async () => {
    const response = await ask('/chat/stream?compat=plain', { model: 'limited' });
    expect(response.status).toBe(429);
    expect(await response.json()).toEqual({ error: expect.any(String), code: 'upstream_error' });
  });

  test('compat=plain works with a ticket', async () => {
    const { url } = await jsonOf<{ url: string }>(ask('/chat/tickets', { model: 'failing' }));
    expect(await (await fetch(`${stack.url}${url}&compat=plain`)).text()).toMatch(
      /data: \{"error":"[^"]+"\}\n\ndata: \[DONE\]\n\n$/,
    );
  });

  test('an unknown format is refused, and one that the endpoint does not have', async () => {
    expect((await ask('/chat/stream?compat=old')).status).toBe(400);
    expect((await ask('/api/projects/p/playground/chat/stream/?compat=plain')).status).toBe(400);
  });
});
