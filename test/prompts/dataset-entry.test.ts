import { describe, expect, test } from 'vitest';
import { readEntry } from '../../src/prompts/dataset-entry.ts';

const read = (value: unknown, rules: { column?: string; history?: boolean } = {}) =>
  readEntry(typeof value === 'string' ? value : JSON.stringify(value), { format: 'jsonl', ...rules });
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const system = (content: string) => ({ role: 'system', content });

describe('an entry of a dataset', () => {
  test('is a prompt', () => {
    expect(read({ prompt: 'hi', id: 7, max_tokens: 12 })).toEqual({
      id: '7',
      maxTokens: 12,
      messages: [user('hi')],
    });
    expect(read({ question: 'why?' }, { column: 'question' })).toMatchObject({ messages: [user('why?')] });
  });

  test('is a conversation up to its last question, with the recorded answers', () => {
    const messages = [system('s'), user('a'), assistant('b'), user('c'), assistant('d')];
    expect(read({ messages })).toMatchObject({ messages: messages.slice(0, 4) });
    expect(read({ messages }, { history: false })).toMatchObject({ messages: [system('s'), user('a')] });
    expect(read({ prompt: messages })).toMatchObject({ messages: messages.slice(0, 4) });
    const parts = [
      { role: 'developer', content: 'd' },
      { role: 'user', content: [{ type: 'text', text: 'x' }, 'y'] },
    ];
    expect(read({ messages: parts })).toMatchObject({ messages: [system('d'), user('xy')] });
  });

  test("is ShareGPT's first question, unless the history is wanted", () => {
    const conversations = [
      { from: 'gpt', value: 'hello' },
      { from: 'human', value: 'one' },
      { from: 'gpt', value: 'answer' },
      { from: 'human', value: 'two' },
    ];
    expect(read({ id: 'x_0', conversations })).toEqual({ id: 'x_0', messages: [user('one')] });
    expect(read({ conversations }, { history: true })).toMatchObject({
      messages: [assistant('hello'), user('one'), assistant('answer'), user('two')],
    });
  });

  test.each([
    ['{"prompt": "a"', 'not valid JSON'],
    ['[1]', 'expected a JSON object, got a list'],
    ['7', 'expected a JSON object, got a number'],
    [{}, 'the entry has no prompt, messages or conversations'],
    [{ prompt: 3 }, '"prompt" is a number, not text'],
    [{ prompt: ' ' }, '"prompt" is empty'],
    [{ messages: [] }, 'the conversation has no message of a user'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'message 1 has the unknown role "tool"'],
    [{ messages: [{ role: 'user' }] }, 'message 1 has no text'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'message 1 has no text'],
    [{ messages: ['x'] }, 'message 1 has no role'],
    [{ conversations: [{ from: 'gpt', value: 'x' }] }, 'the conversation has no message of a user'],
    [{ messages: [{ role: 'user', content: '' }] }, 'message 1 is empty'],
    [{ messages: [{ role: '__proto__', content: 'x' }] }, 'message 1 has the unknown role "__proto__"'],
  ])('%j is refused', (value, cause) => {
    expect(read(value)).toMatchObject({ cause, remedy: expect.any(String) });
  });
});
