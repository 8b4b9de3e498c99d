import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AssistantText, MessageStore } from '../../../src/service/store.ts';
import { AnswerWriter, isWriteDue, type WriteOptions } from '../../../src/service/stream/answer-writer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A writer, and what it has written so far: each time the text, and why it is partial. */
function keep(options: WriteOptions, fail = false) {
  const written: string[] = [];
  const errors: unknown[] = [];
  const write = (text: AssistantText) => {
    if (fail) throw new Error('disk full');
    written.push(`${text.content}|${text.partial ? text.reason : 'whole'}`);
    return 1;
  };
  const store = {
    addAssistant: (_: unknown, text: AssistantText) => write(text),
    updateAssistant: (_: unknown, text: AssistantText) => void write(text),
  } as unknown as MessageStore;
  const target = {
    store,
    conversation: { owner: 'o', session: 's' },
    onError: (error: unknown) => errors.push(error),
  };
  const writer = new AnswerWriter(target, options);
  const say = (...texts: string[]) => {
    for (const text of texts) writer.add({ type: 'message_chunk', text });
  };
  return { writer, say, written, errors };
}

describe('when an answer is written', () => {
  test('end: once', () => {
    const { writer, say, written } = keep({ strategy: { kind: 'end' } });
    say('a', 'b');
    vi.advanceTimersByTime(60_000);
    expect(written).toEqual([]);
    writer.finish();
    writer.finish('client_gone');
    expect(written).toEqual(['ab|whole']);
  });

  test('every chunk', () => {
    const { writer, say, written } = keep({ strategy: { kind: 'every-chunk' } });
    say('a', 'b');
    writer.add({ type: 'usage', outputTokens: 2 });
    writer.finish('client_gone');
    expect(written).toEqual(['a|in_progress', 'ab|in_progress', 'ab|client_gone']);
  });

  test('every n characters', () => {
    const { writer, say, written } = keep({ strategy: { kind: 'every-n-chars', chars: 3 } });
    say('ab', 'c', 'd', 'efgh', 'i');
    writer.finish();
    expect(written).toEqual(['abc|in_progress', 'abcdefgh|in_progress', 'abcdefghi|whole']);
    expect(isWriteDue({ kind: 'every-n-chars', chars: 3 }, 2)).toBe(false);
  });

  test('a checkpoint limits how long text stays unwritten, also when the stream falls silent', () => {
    const { writer, say, written } = keep({ strategy: { kind: 'end' }, checkpointMs: 100 });
    say('a');
    vi.advanceTimersByTime(60);
    say('b');
    vi.advanceTimersByTime(39);
    expect(written).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(written).toEqual(['ab|in_progress']);
    vi.advanceTimersByTime(1_000);
    expect(written).toHaveLength(1);
    say('c');
    writer.finish('shutdown');
    vi.advanceTimersByTime(1_000);
    expect(written).toEqual(['ab|in_progress', 'abc|shutdown']);
  });

  test('a failing store is reported, and the stream continues', () => {
    const { writer, say, errors } = keep({ strategy: { kind: 'every-chunk' } }, true);
    say('a');
    writer.finish();
    expect(errors).toHaveLength(2);
  });
});
