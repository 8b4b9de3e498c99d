import { describe, expect, test } from 'vitest';
import { BodyPrefix, KeptText } from '../../src/client/kept-answer.ts';

test('all kinds of text together are cut at the limit, and textCut is set', () => {
  const kept = new KeptText(true, 10);
  kept.addAnswer('abcd');
  kept.addThinking('efg');
  expect(kept.fields()).toEqual({ text: 'abcd', thinking: 'efg' });
  kept.addTool({ type: 'tool_call', index: 0, name: 'n', arguments: '{}' });
  expect(kept.fields()).toEqual({ text: 'abcd', thinking: 'efg', toolText: 'n{}' });
  kept.addAnswer('xyz');
  expect(kept.fields()).toEqual({ text: 'abcd', thinking: 'efg', toolText: 'n{}', textCut: true });
});

test('the text at the limit is kept up to it', () => {
  const kept = new KeptText(true, 5);
  kept.addAnswer('abcdefgh');
  kept.addAnswer('i');
  expect(kept.fields()).toEqual({ text: 'abcde', textCut: true });
});

test('nothing is kept unless requested', () => {
  const kept = new KeptText(false, 5);
  kept.addAnswer('abcdefgh');
  expect(kept.fields()).toEqual({});
});

describe('the beginning of a body', () => {
  const filled = (prefix: BodyPrefix, pieces: number) => {
    const lent = new Uint8Array(7);
    for (let i = 0; i < pieces; i++) {
      lent.fill(97 + (i % 26));
      prefix.add(lent);
    }
    // Whoever lent the bytes writes over them.
    lent.fill(0);
    return prefix;
  };
  const text = (pieces: number) =>
    Array.from({ length: pieces }, (_, i) => String.fromCharCode(97 + (i % 26)).repeat(7)).join('');

  test('is kept whole while it is short', () => {
    const prefix = filled(new BodyPrefix(), 10);
    expect([prefix.text(), prefix.isCut]).toEqual([text(10), false]);
    expect(new BodyPrefix().text()).toBe('');
  });

  test('is cut at 2 KiB of a stream and at 16 KiB of a document', () => {
    const prefix = filled(new BodyPrefix(), 3_000);
    expect([prefix.text(), prefix.isCut]).toEqual([text(3_000).slice(0, 2_048), true]);
    const document = new BodyPrefix();
    document.expectDocument();
    filled(document, 3_000);
    expect([document.text(), document.isCut]).toEqual([text(3_000).slice(0, 16_384), true]);
  });
});
