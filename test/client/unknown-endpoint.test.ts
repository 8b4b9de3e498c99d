import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { verdictFigures } from '../../src/analysis/streaming/stream-figures.ts';
import { judgeStreams } from '../../src/analysis/streaming/verdict-collector.ts';
import { createClient } from '../../src/client/client.ts';
import { record } from '../metrics/records.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of cleanup.splice(0)) await close();
});

async function ask(events: readonly string[], options: { textPath?: string } = {}) {
  const server = await rawServer((socket: Socket) => {
    socket.write(SSE_HEAD);
    const step = (i: number) => {
      if (i < events.length) socket.write(chunked(events[i]!), () => setTimeout(step, 3, i + 1));
      else socket.write(CHUNKED_END);
    };
    step(0);
  });
  cleanup.push(() => server.close());
  const client = createClient({ baseUrl: `${server.url}/events`, dialect: 'sse', ...options });
  cleanup.push(() => client.close());
  const observation = await client.stream({ prompt: 'x' }).result;
  const figures = verdictFigures(record({ ...observation }));
  return { observation, verdict: judgeStreams([figures, figures])[0]! };
}

const status = (i: number) => `data: ${JSON.stringify({ type: 'status', step: i })}\n\n`;
const text = (i: number) => `data: ${JSON.stringify({ type: 'token', text: `word ${i} ` })}\n\n`;
const of = (count: number, make: (i: number) => string) => Array.from({ length: count }, (_, i) => make(i));

test('status events over time, then the whole text at once, are not a stream', async () => {
  const { observation, verdict } = await ask([...of(30, status), of(40, text).join('')]);
  expect(observation.payload).toMatchObject({ events: 70, json: 70 });
  expect(verdict).toMatchObject({
    verdict: 'inconclusive',
    evidence:
      'events are JSON, so every event counts as content; text has text in 40 of 70: use --text-path text',
  });
});

test('with a text path, only the text is counted', async () => {
  const { observation, verdict } = await ask([...of(30, status), of(40, text).join('')], {
    textPath: 'text',
  });
  expect(observation.payload).toBeUndefined();
  expect(observation).toMatchObject({ contentEvents: 40, text: expect.stringMatching(/^word 0 word 1 /) });
  expect(verdict.verdict).toBe('buffered');
});

test('a wrong path lists those that have text', async () => {
  const { observation } = await ask(of(8, text), { textPath: 'choices.0.delta.content' });
  expect(observation.outcome).toMatchObject({
    kind: 'empty',
    message: expect.stringContaining('none with text at choices.0.delta.content'),
    hint: 'paths with text: text (8 of 8), type (8 of 8); try --text-path text',
  });
});

test('a known dialect is named', async () => {
  const { verdict } = await ask([...of(20, (i) => chatChunk({ content: `word ${i}` })), 'data: [DONE]\n\n']);
  expect(verdict).toMatchObject({
    verdict: 'inconclusive',
    evidence: 'the events match the dialect openai-chat: use --dialect openai-chat',
  });
});

test('text is text', async () => {
  const { observation } = await ask(of(20, (i) => `data: word ${i}\n\n`));
  expect(observation.payload).toBeUndefined();
});
