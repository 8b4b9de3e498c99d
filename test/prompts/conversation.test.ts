import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/model/request.ts';
import { Conversation, splitConversation } from '../../src/prompts/conversation.ts';

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const tool = (content: string): Message => ({ role: 'tool', content });
const call = (id: string) => ({ id, name: 'find', arguments: '{}' });

describe('a conversation', () => {
  test("carries the server's answers over into the next turns", () => {
    const talk = new Conversation(
      [user('a')],
      [
        { messages: [user('b')], thinkMs: 10 },
        { messages: [user('c')], thinkMs: 20 },
      ],
    );
    expect([talk.messages, talk.left]).toEqual([[user('a')], 2]);
    expect(talk.answered({ text: 'A', calls: [] })).toEqual({ left: 2, skipped: 0, thinkMs: 10 });
    expect(talk.messages).toEqual([user('a'), assistant('A'), user('b')]);
    expect(talk.left).toBe(1);
    expect(talk.answered({ text: '', calls: [call('1')] })).toEqual({ left: 1, skipped: 0, thinkMs: 20 });
    expect(talk.messages.slice(3)).toEqual([user('c')]);
    expect(talk.answered({ text: 'C', calls: [] })).toEqual({ left: 0, skipped: 0, thinkMs: 0 });
  });

  test('answers each tool call with a recorded result, the last one again for further calls', () => {
    const talk = new Conversation([user('a')], [{ toolResults: ['x', 'y'], thinkMs: 0 }]);
    const calls = [call('1'), call('2'), call('3')];
    talk.answered({ text: 'wait', calls });
    expect(talk.messages.slice(1)).toEqual([
      { role: 'assistant', content: 'wait', toolCalls: calls },
      { ...tool('x'), call: calls[0] },
      { ...tool('y'), call: calls[1] },
      { ...tool('y'), call: calls[2] },
    ]);
  });

  test('leaves results out that no call waits for', () => {
    const turns = [
      { toolResults: ['x'], thinkMs: 1 },
      { messages: [user('b')], thinkMs: 2 },
      { toolResults: ['z'], thinkMs: 3 },
    ];
    const talk = new Conversation([user('a')], turns);
    expect(talk.answered({ text: 'A', calls: [] })).toEqual({ left: 2, skipped: 1, thinkMs: 2 });
    expect(talk.messages).toEqual([user('a'), assistant('A'), user('b')]);
    expect(talk.answered({ text: 'B', calls: [] })).toEqual({ left: 0, skipped: 1, thinkMs: 0 });
  });
});

test('a recorded conversation is its first turn and those of the user and the tools', () => {
  const system: Message = { role: 'system', content: 's' };
  expect(
    splitConversation([
      system,
      user('a'),
      user('b'),
      assistant('A'),
      tool('x'),
      tool('y'),
      assistant('B'),
      user('c'),
    ]),
  ).toEqual({
    opening: [system, user('a'), user('b')],
    turns: [{ toolResults: ['x', 'y'] }, { messages: [user('c')] }],
  });
  expect(splitConversation([assistant('hello'), user('a')])).toEqual({
    opening: [assistant('hello'), user('a')],
    turns: [],
  });
});
