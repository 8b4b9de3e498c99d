import { describe, expect, test } from 'vitest';
import type { ServiceOptions } from '../../src/service/index.ts';
import { closedAfterEach, decode, jsonOf, messagesOf, startStack, textOf, until } from './support.ts';

const open = closedAfterEach();

async function stackWith(options: Partial<ServiceOptions> = {}, model = 'quick') {
  const stack = await startStack(options, model);
  open.push(stack);
  return stack;
}

type Payload = { prompt_id?: string; type: string; code?: string; results?: object[]; id?: string };

function payloads(sse: string): Payload[] {
  return sse
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Payload);
}

/** The events of one prompt, as a client of the conversation dialect reads them. */
function eventsOf(sse: string, promptId: string) {
  const own = payloads(sse).filter(({ prompt_id: id }) => id === promptId);
  const payload = ({ prompt_id: _, ...rest }: Payload) => `data: ${JSON.stringify(rest)}\n\n`;
  return decode('conversation', own.map(payload).join('')).events;
}

describe('a batch', () => {
  test('answers every prompt in one stream; each event has the id of its prompt', async () => {
    const stack = await stackWith();
    const prompts = ['One', { id: 'two', message: 'Two', session_id: 's2', max_tokens: 3 }];
    const sse = await (await stack.post('/chat/batch', { prompts, max_tokens: 5 })).text();
    for (const [id, tokens] of [
      ['0', 5],
      ['two', 3],
    ] as const) {
      const events = eventsOf(sse, id);
      expect(events[0]).toMatchObject({ type: 'start', id: expect.stringMatching(/^msg_/) });
      expect(events.filter(({ type }) => type === 'message_chunk')).toHaveLength(tokens);
      expect(events.at(-1)).toMatchObject({ type: 'complete' });
    }
    expect((await messagesOf(stack, 's2')).map(({ role, content }) => [role, content])).toEqual([
      ['user', 'Two'],
      ['assistant', textOf(eventsOf(sse, 'two'))],
    ]);
    const last = payloads(sse).at(-1)!;
    expect(last.type).toBe('batch_complete');
    expect(last.results).toHaveLength(2);
    expect(last.results).toContainEqual({ prompt_id: 'two', status: 'ok' });
    expect(sse).toMatch(/data: \[DONE\]\n\n$/);
  });

  test('a prompt that fails has an error event, before its first event too; the others continue', async () => {
    const stack = await stackWith();
    const prompts = ['failing', 'limited', 'quick'].map((model) => ({ id: model, message: 'x', model }));
    const sse = await (await stack.post('/chat/batch', { prompts })).text();
    expect(eventsOf(sse, 'failing').at(-1)).toMatchObject({ type: 'error' });
    expect(eventsOf(sse, 'limited')).toEqual([
      expect.objectContaining({ type: 'error', code: 'upstream_error' }),
    ]);
    expect(eventsOf(sse, 'quick').at(-1)).toMatchObject({ type: 'complete' });
    expect(new Set(payloads(sse).at(-1)!.results)).toEqual(
      new Set([
        { prompt_id: 'failing', status: 'failed' },
        { prompt_id: 'limited', status: 'failed' },
        { prompt_id: 'quick', status: 'ok' },
      ]),
    );
  });

  test('runs as many prompts at once as requested', async () => {
    const stack = await stackWith({}, 'paced');
    const prompts = ['a', 'b', 'c', 'd', 'e'];
    const sse = await (await stack.post('/chat/batch', { prompts, concurrency: 2, max_tokens: 3 })).text();
    expect(payloads(sse).at(-1)!.results).toHaveLength(5);
    const { peak_streams: peak } = await jsonOf<{ peak_streams: number }>(stack.get('/api/v1/health/stream'));
    expect(peak).toBe(2);
  });

  test('one answer can be cancelled, and a client that leaves ends all', async () => {
    const stack = await stackWith({}, 'long');
    const stop = new AbortController();
    const sessions = ['s0', 's1', 's2'];
    const prompts = sessions.map((session) => ({ id: session, message: 'x', session_id: session }));
    const response = await stack.post(
      '/chat/batch',
      { prompts, concurrency: 2 },
      {
        headers: { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json' },
        signal: stop.signal,
      },
    );
    const listed = async () =>
      (await jsonOf<{ streams: { id: string; session_id: string }[] }>(stack.get('/api/v1/streams'))).streams;
    await until(async () => (await listed()).length === 2);
    const first = (await listed()).find(({ session_id: session }) => session === 's0')!;
    expect((await stack.post(`/api/v1/streams/${first.id}/cancel`, {})).status).toBe(200);
    // Its place is free for the next one.
    await until(async () => (await listed()).some(({ session_id: session }) => session === 's2'));
    stop.abort();
    await response.text().catch(() => {});
    await until(async () => (await listed()).length === 0);
    for (const [session, reason] of [
      ['s0', 'cancelled'],
      ['s1', 'client_gone'],
      ['s2', 'client_gone'],
    ] as const) {
      expect((await messagesOf(stack, session)).at(-1)).toMatchObject({ role: 'assistant', reason });
    }
  });

  test('that is not valid is refused with the place of the problem', async () => {
    const stack = await stackWith();
    const refused = async (body: object) => {
      const response = await stack.post('/chat/batch', body);
      expect(response.status).toBe(400);
      const { error } = await jsonOf<{ error: { fields: { path: string }[] } }>(response);
      return error.fields.map(({ path }) => path);
    };
    expect(await refused({})).toEqual(['prompts']);
    expect(await refused({ prompts: [] })).toEqual(['prompts']);
    expect(await refused({ prompts: Array(101).fill('x') })).toEqual(['prompts']);
    expect(await refused({ prompts: ['x'], concurrency: 0 })).toEqual(['concurrency']);
    expect(await refused({ prompts: ['x'], resumable: true })).toEqual(['resumable']);
    expect(await refused({ prompts: ['x', 5] })).toEqual(['prompts.1']);
    expect(await refused({ prompts: ['x', { message: 'y', nope: 1 }] })).toEqual(['prompts.1.nope']);
    expect(
      await refused({
        prompts: [
          { id: 'a', message: 'x' },
          { id: 'a', message: 'y' },
        ],
      }),
    ).toEqual(['prompts.1.id']);
    expect(await refused({ prompts: ['x'], max_tokens: 0 })).toEqual(['prompts.0.max_tokens']);
  });
});
