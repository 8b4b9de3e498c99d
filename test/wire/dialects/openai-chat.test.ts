import { expect, test } from 'vitest';
import { getDialect } from '../../../src/wire/dialects/index.ts';
import { gather } from '../../../src/wire/whole-answer.ts';

test('a whole answer with both a message and an empty delta, as from Perplexity', () => {
  const choice = {
    index: 0,
    message: { role: 'assistant', content: 'Ruby is a language.' },
    delta: { role: 'assistant', content: '' },
    finish_reason: 'stop',
  };
  const usage = { prompt_tokens: 8, completion_tokens: 5, total_tokens: 13 };
  const body = JSON.stringify({
    id: 'p',
    object: 'chat.completion',
    model: 'sonar',
    choices: [choice],
    usage,
  });
  expect(gather(getDialect('openai-chat').decodeWhole(body))).toMatchObject({
    text: 'Ruby is a language.',
    complete: { raw: 'stop' },
    usage: { outputTokens: 5 },
  });
});

test('a whole answer with audio, and one with an image', () => {
  const whole = (message: object) =>
    getDialect('openai-chat').decodeWhole(
      JSON.stringify({ id: 'a', choices: [{ index: 0, message, finish_reason: 'stop' }] }),
    );
  expect(whole({ content: null, audio: { id: 'x', data: 'AAAA', transcript: 'Hello' } })).toEqual([
    { type: 'start', id: 'a' },
    { type: 'message_chunk', text: 'Hello' },
    { type: 'media', kind: 'audio', data: 'AAAA' },
    { type: 'complete', finish: 'stop', raw: 'stop' },
  ]);
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
  expect(whole({ content: '', images: [image] })).toContainEqual({
    ...{ type: 'media', kind: 'image', data: 'data:image/png;base64,AA==' },
  });
});
