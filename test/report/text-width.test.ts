import { expect, test } from 'vitest';
import { clip, displayWidth, oneLine, wrap } from '../../src/report/text-width.ts';

test('width counts what is seen', () => {
  expect(displayWidth('short')).toBe(5);
  expect(displayWidth('请介绍')).toBe(6);
  expect(displayWidth('\u001b[31mred\u001b[39m')).toBe(3);
  expect(displayWidth('e\u0301')).toBe(1);
  expect(displayWidth('😀 ok')).toBe(5);
  expect(displayWidth('p50 — × · …')).toBe(11);
  expect(displayWidth('✅ ok')).toBe(5);
  expect(displayWidth('👨‍👩‍👧')).toBe(2);
  expect(displayWidth('👍🏽')).toBe(2);
});

test('clips by columns and never through a character', () => {
  expect(clip('short', 5)).toBe('short');
  expect(clip('shorter', 5)).toBe('shor…');
  expect(clip('请介绍机器', 6)).toBe('请介…');
  expect(clip('😀😀😀', 4)).toBe('😀…');
  expect(clip('👨‍👩‍👧👨‍👩‍👧', 3)).toBe('👨‍👩‍👧…');
});

test('wraps at spaces, and anywhere in text that has none', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
  expect(wrap('请介绍机器学习', 6)).toEqual(['请介绍', '机器学', '习']);
  expect(wrap('a verylongword', 5)).toEqual(['a', 'veryl', 'ongwo', 'rd']);
});

test('what others sent cannot move the cursor, colour or turn the text', () => {
  expect(oneLine(' a\u001b[2Jb\r\nc\u0007\u009b1md\u202ee ')).toBe(
    String.raw`a\u{1b}[2Jb c\u{7}\u{9b}1md\u{202e}e`,
  );
});
