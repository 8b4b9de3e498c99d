import { describe, expect, test } from 'vitest';
import { requestWriter } from '../../src/client/request-writer.ts';
import { UserError } from '../../src/model/errors.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';

const CHAT: ChatRequest = { messages: [{ role: 'user', content: 'a "b"' }], nonce: 'n0nce123', stream: true };

function written(
  dialect: string,
  endpoint: Omit<Parameters<typeof requestWriter>[1], 'baseUrl'>,
  url = '/x',
) {
  return requestWriter(getDialect(dialect), { baseUrl: `http://h${url}`, ...endpoint })(CHAT);
}

describe('a request', () => {
  test('has its nonce before the prompt', () => {
    const { body, headers, path } = written('openai-chat', {}, '/v1');
    expect(JSON.parse(body!).messages).toEqual([{ role: 'user', content: 'n0nce123\n\na "b"' }]);
    expect([path, headers['content-type']]).toEqual(['/v1/chat/completions', 'application/json']);
    expect(written('sse', {}).body).toBe(JSON.stringify({ prompt: 'n0nce123\n\na "b"' }));
  });

  test('has its nonce only where the body or the query has the placeholder', () => {
    expect(written('sse', { body: '{"id":"{{nonce}}","q":"{{prompt}}"}' }).body).toBe(
      '{"id":"n0nce123","q":"a \\"b\\""}',
    );
    const request = written('openai-chat', {}, '/v1?id={{nonce}}');
    expect(request.path).toBe('/v1/chat/completions?id=n0nce123');
    expect(request.body).not.toContain('n0nce123');
  });

  test('has the body of its template in place of the dialect’s, of the type that it is', () => {
    for (const dialect of ['sse', 'openai-chat', 'ollama-chat']) {
      const json = written(dialect, { body: '{"q":"{{prompt}}"}' });
      expect(json).toMatchObject({ method: 'POST', body: '{"q":"n0nce123\\n\\na \\"b\\""}' });
      expect(json.headers['content-type']).toBe('application/json');
      const text = written(dialect, { body: 'q: {{prompt}}' });
      expect(text.body).toBe('q: n0nce123\n\na "b"');
      expect(text.headers['content-type']).toBe('text/plain; charset=utf-8');
    }
  });

  test('of a GET has no body and no content-type', () => {
    const { method, path, body, headers } = written(
      'sse',
      { method: 'GET', body: 'x' },
      '/x?q={{prompt}}&s={{stream}}',
    );
    expect([method, body]).toEqual(['GET', undefined]);
    expect(path).toBe('/x?q=n0nce123%0A%0Aa%20%22b%22&s=true');
    expect(headers).toEqual({ accept: 'text/event-stream' });
  });

  test('without placeholders and nonce is sent unchanged', () => {
    const write = requestWriter(getDialect('sse'), {
      baseUrl: 'http://h/x?a=%7B%7B&b=1',
      body: '{ "a": 1.0 }',
    });
    expect(write({ messages: [], stream: true })).toMatchObject({
      path: '/x?a=%7B%7B&b=1',
      body: '{ "a": 1.0 }',
    });
  });

  test('with an unknown placeholder is refused when the client is created', () => {
    expect(() => written('sse', { body: '{{promt}}' })).toThrow(UserError);
    expect(() => written('sse', {}, '/x?q={{promt}}')).toThrow(
      /unknown placeholder \{\{promt\}\} in the URL/,
    );
  });
});
