import type { ChatRequest } from '../../src/model/request.ts';
import type { CheckedField } from '../../src/wire/request-check.ts';

/** A request with nothing but a text. */
export const PLAIN: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'look' }], stream: true };
const media = (kind: 'image' | 'audio', mediaType: string): ChatRequest => ({
  ...PLAIN,
  messages: [{ role: 'user', content: 'look', media: [{ kind, mediaType, data: 'QUJDRA==' }] }],
});
export const CALL = { id: 'call_1', name: 'find', arguments: '{"q":"MARK"}' };
const SCHEMA = { type: 'object', title: 'MARK' };
/** The request with one field more. */
export const WITH: Readonly<Record<CheckedField, ChatRequest>> = {
  image: media('image', 'image/png'),
  audio: media('audio', 'audio/mpeg'),
  tools: { ...PLAIN, tools: [{ name: 'find', parameters: SCHEMA }] },
  toolResults: {
    ...PLAIN,
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: '', toolCalls: [CALL] },
      { role: 'tool', content: 'found', call: CALL },
      { role: 'user', content: 'look' },
    ],
  },
  schema: { ...PLAIN, answerSchema: { name: 'answer', schema: SCHEMA } },
  maxTokens: { ...PLAIN, maxTokens: 4321 },
  temperature: { ...PLAIN, temperature: 0.4321 },
  stop: { ...PLAIN, stop: ['4321'] },
  n: { ...PLAIN, n: 4321 },
  seed: { ...PLAIN, seed: 4321 },
  reasoningEffort: { ...PLAIN, reasoningEffort: 'low' },
};
