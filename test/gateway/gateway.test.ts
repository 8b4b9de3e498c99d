import { describe, expect, test } from 'vitest';
import { AnswerStream } from '../../src/client/answer-stream.ts';
import { createClient } from '../../src/client/client.ts';
import type { RequestOptions } from '../../src/client/client-options.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { UserError } from '../../src/model/errors.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import { CHUNKED_END, chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';

/** A client that keeps its requests, and answers with these events. */
function fakeClient(events: readonly StreamEvent[]) {
  const requests: RequestOptions[] = [];
  const stream = (request: RequestOptions) => {
    if (request.n !== undefined) throw new UserError('usage', { message: 'n: the dialect cannot' });
    requests.push(request);
    return new AnswerStream(async ({ onEvents }) => {
      onEvents?.(events, 0, 0, 1);
      return { outcome: { kind: 'ok' }, marks: { started: 0 }, reads: 1 } as never;
    }, new AbortController());
  };
  return { requests, client: { stream } };
}

const ANSWER: StreamEvent[] = [
  { type: 'message_chunk', text: 'hi' },
  { type: 'usage', inputTokens: 3, outputTokens: 1 },
  { type: 'complete', finish: 'stop' },
];

const post = (body: object) =>
  new Request('http://gateway/v1/messages', { method: 'POST', body: JSON.stringify(body) });
const ASKED = { model: 'claude', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] };

const start = rawServers();

describe('a gateway', () => {
  test('leaves requests that succeed to end by themselves: outcome ok, and one connection for all', async () => {
    let end = () => {};
    const server = await start((socket) => {
      const chunk = { choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: 'stop' }] };
      socket.write(SSE_HEAD + chunked(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`));
      end = () => socket.write(CHUNKED_END);
    });
    const client = createClient({ dialect: 'openai-chat', baseUrl: `${server.url}/v1`, model: 'm' });
    const answers: AnswerStream[] = [];
    const stream = (request: RequestOptions) => {
      const answer = client.stream(request);
      answers.push(answer);
      return answer;
    };
    const gateway = createGateway({ dialect: 'anthropic', client: { stream } });
    for (const mode of [true, false]) {
      const response = await gateway(post({ ...ASKED, stream: mode }));
      // The caller has its whole answer before the body of the upstream ends.
      expect(await response.text()).toContain('"text":"hi"');
      end();
      expect(await answers.at(-1)?.result).toMatchObject({ outcome: { kind: 'ok' } });
    }
    expect(server.connections()).toBe(1);
    client.close();
  });

  test('passes a request on with all that was read of it, and answers in the dialect of the caller', async () => {
    const { client, requests } = fakeClient(ANSWER);
    const gateway = createGateway({ dialect: 'anthropic', client, model: 'llama' });
    const tools = [{ name: 'f', description: 'd', input_schema: { type: 'object' } }];
    const asked = { ...ASKED, stream: true, tools, stop_sequences: ['X'], metadata: { user_id: 'u' } };
    const response = await gateway(post(asked));
    expect(response.headers.get('content-type')).toContain('event-stream');
    expect(await response.text()).toMatch(
      /message_start.*"model":"claude"[\s\S]*"text":"hi"[\s\S]*message_stop/,
    );
    expect(requests[0]).toMatchObject({
      model: 'llama',
      maxTokens: 9,
      messages: [{ role: 'user', content: 'hello' }],
      tools: [{ name: 'f', description: 'd', parameters: { type: 'object' } }],
      stop: ['X'],
    });
  });

  test('answers whole where no stream is wanted', async () => {
    const gateway = createGateway({ dialect: 'anthropic', client: fakeClient(ANSWER).client });
    expect(await (await gateway(post(ASKED))).json()).toMatchObject({
      content: [{ type: 'text', text: 'hi' }],
      usage: { input_tokens: 3, output_tokens: 1 },
    });
  });

  test.each([
    [429, 429],
    [401, 401],
    [302, 502],
  ])('answers with the status of a refused request: %i as %i', async (status, wanted) => {
    const server = await start((socket) =>
      socket.write(`HTTP/1.1 ${status} No\r\ncontent-length: 29\r\n\r\n{"error":{"message":"not now"}`),
    );
    const client = createClient({ dialect: 'openai-chat', baseUrl: `${server.url}/v1`, model: 'm' });
    const gateway = createGateway({ dialect: 'anthropic', client });
    for (const stream of [true, false])
      expect((await gateway(post({ ...ASKED, stream }))).status).toBe(wanted);
    client.close();
  });

  test.each([
    ['a field', { top_k: 4 }, 'top_k'],
    [
      'an image by URL',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'x' } }] }] },
      'image',
    ],
    ['a tool of the provider', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools'],
  ])('refuses a request with %s that it would lose', async (_, more, named) => {
    const { client, requests } = fakeClient(ANSWER);
    const response = await createGateway({ dialect: 'anthropic', client })(post({ ...ASKED, ...more }));
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: { message: string } }).error.message).toContain(named);
    expect(requests).toEqual([]);
  });

  test('passes a request on without a field that may be ignored', async () => {
    const { client, requests } = fakeClient(ANSWER);
    const gateway = createGateway({ dialect: 'anthropic', client, ignore: ['top_k'] });
    expect((await gateway(post({ ...ASKED, top_k: 4 }))).status).toBe(200);
    expect(requests).toHaveLength(1);
  });

  test('answers what the client refuses, and what is no request, with 400', async () => {
    const gateway = createGateway({ dialect: 'openai-chat', client: fakeClient(ANSWER).client });
    const ask = (body: object) =>
      gateway(new Request('http://g/v1/chat/completions', { method: 'POST', body: JSON.stringify(body) }));
    const refused = await ask({ ...ASKED, n: 2 });
    expect([refused.status, await refused.text()]).toEqual([
      400,
      expect.stringContaining('n: the dialect cannot'),
    ]);
    expect((await ask({ nothing: true })).status).toBe(400);
  });
});
