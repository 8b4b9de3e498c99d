import { expect, test } from 'vitest';
import { KeptText } from '../../src/client/kept-answer.ts';

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
