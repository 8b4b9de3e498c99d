import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeResponse } from '../../src/gateway/decode-response.ts';
import { transcode } from '../../src/gateway/transcode.ts';
import { UserError } from '../../src/model/errors.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import { DIALECT_NAMES, getDialect } from '../../src/wire/dialects/index.ts';
import { FRAMINGS } from '../../src/wire/framing/framings.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { decodeReads } from '../wire/streams.ts';

const FIXTURES = join(import.meta.dirname, '../wire/fixtures');

/** Recorded streams, one for each dialect that has one, and some with tool calls, errors and a cut. */
const SOURCES = readdirSync(FIXTURES)
  .map((file) => ({ file, from: file.split('.')[0]! }))
  .filter(({ from }) => DIALECT_NAMES.includes(from));

const responseOf = (file: string, from: string) =>
  new Response(readFileSync(join(FIXTURES, file)), {
    headers: { 'content-type': FRAMINGS[getDialect(from).framing].contentType },
  });

async function eventsOf(response: Response, dialect: string, thinkTags = false): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of decodeResponse(response, { dialect: getDialect(dialect, { thinkTags }) }))
    events.push(event);
  return events;
}

// Each stream runs in a quarter of the dialects here, so that together all of them run. `npm run soak:pairs` runs all.
const ALL = process.env.STREAMBENCH_PAIRS === 'all';
const targetsOf = (file: string) => {
  const turn = SOURCES.findIndex((source) => source.file === file);
  return DIALECT_NAMES.filter((_, index) => ALL || (index + turn) % 4 === 0);
};

/** What an answer comes to. An answer that was cut has an error in another dialect. */
function essence(events: readonly StreamEvent[], to: string) {
  const { carries } = getDialect(to);
  const { text, thinking, calls, complete, error } = gather(events);
  return {
    text,
    thinking: carries.has('thinking') ? thinking : '',
    calls: carries.has('tool_call')
      ? calls.map(({ name, arguments: args }) => [name, args.replaceAll(/\s/g, '') || '{}'])
      : [],
    failed: error !== undefined || complete === undefined || complete.finish === 'error',
  };
}

describe.each(SOURCES)('$file', ({ file, from }) => {
  test('comes to the same in other dialects', async () => {
    const events = decodeReads(getDialect(from), [readFileSync(join(FIXTURES, file))]);
    // Reasoning that was sent as text before its closing tag stays text: it has left already.
    if (events.some(({ type }) => type === 'answer_start')) return;
    // Text after an undecodable frame is not sent on: the answer has failed.
    const failed = events.findIndex((event) => event.type === 'error');
    const sent = failed === -1 ? events : events.slice(0, failed + 1);
    for (const to of targetsOf(file)) {
      const wanted = essence(sent, to);
      const response = await transcode(responseOf(file, from), { from, to, stream: true });
      const first = sent[0];
      if (first?.type === 'error') {
        expect(response.status, to).toBeGreaterThanOrEqual(400);
        continue;
      }
      expect(response.status, to).toBe(200);
      if (to === 'raw' && wanted.failed) {
        await expect(response.text(), to).rejects.toThrow();
        continue;
      }
      expect(essence(await eventsOf(response, to), to), to).toEqual({
        ...wanted,
        // A plain text has no frames: what cannot be told apart is not compared.
        ...(to === 'raw' ? { failed: false } : {}),
      });
    }
  });
});

describe('a response', () => {
  test('with an HTTP error keeps its status, message and retry-after', async () => {
    const upstream = new Response('{"error":"model not found"}', {
      status: 404,
      headers: { 'retry-after': '7' },
    });
    const response = await transcode(upstream, { from: 'ollama-chat', to: 'anthropic' });
    expect(response.status).toBe(404);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type: 'not_found_error', message: 'model not found' },
    });
  });

  test('that is one whole answer stays one, unless a stream is wanted', async () => {
    const whole = () =>
      Response.json({
        model: 'm',
        message: {
          role: 'assistant',
          content: 'hi',
          tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }],
        },
        done: true,
        done_reason: 'stop',
        prompt_eval_count: 3,
        eval_count: 2,
      });
    const response = await transcode(whole(), { from: 'ollama-chat', to: 'anthropic' });
    expect(await response.json()).toMatchObject({
      content: [{ text: 'hi' }, { type: 'tool_use', name: 'f', input: { a: 1 } }],
      stop_reason: 'tool_use',
      usage: { input_tokens: 3, output_tokens: 2 },
    });
    const stream = await transcode(whole(), { from: 'ollama-chat', to: 'openai-chat', stream: true });
    expect(await stream.text()).toContain('data: [DONE]');
  });

  test('whose body was read already is refused', async () => {
    const response = new Response('x');
    await response.text();
    await expect(transcode(response, { from: 'sse', to: 'anthropic' })).rejects.toThrow(UserError);
    const locked = new Response('x');
    locked.body?.getReader();
    expect(() => decodeResponse(locked, { dialect: 'sse' })).toThrow(/already read/);
  });

  test('that is cancelled cancels the upstream, also while that is silent', async () => {
    let cancelled: unknown;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) =>
        controller.enqueue(new TextEncoder().encode('data: {"choices":[{"delta":{"content":"x"}}]}\n\n')),
      cancel: (reason) => {
        cancelled = reason;
      },
    });
    const response = await transcode(new Response(body), { from: 'openai-chat', to: 'anthropic' });
    const reader = response.body!.getReader();
    await reader.read();
    const pending = reader.read();
    await reader.cancel();
    expect(cancelled).toBe('the reader left');
    await pending;
  });

  test('that is whole and over the limit is an error that says so', async () => {
    const upstream = Response.json({ choices: [{ message: { content: 'x'.repeat(500) } }] });
    const response = await transcode(upstream, { from: 'openai-chat', to: 'anthropic', limitBytes: 200 });
    expect(response.status).toBe(502);
    expect(await response.text()).toContain('the answer is larger than 200 B');
  });

  test('over a limit is an error in the middle of the stream', async () => {
    const event = (text: string) => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`;
    const upstream = new Response(event('a') + event('b'.repeat(500)));
    const response = await transcode(upstream, { from: 'openai-chat', to: 'anthropic', limitBytes: 200 });
    expect(await response.text()).toMatch(/event: error\ndata: .*larger than/);
  });
});
