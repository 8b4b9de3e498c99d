import { describe, expect, test } from 'vitest';
import { forTerminal, jsonText, oneLine, visible } from '../../src/model/visible.ts';

/** Every character that a reader cannot see or a terminal obeys, by what it is shown as. */
const SHOWN: [name: string, char: string, shown: string][] = [
  ['escape', '\u001b', '\\u{1b}'],
  ['bell', '\u0007', '\\u{7}'],
  ['delete', '\u007f', '\\u{7f}'],
  ['a control of C1', '\u009b', '\\u{9b}'],
  ['left-to-right mark', '\u200e', '\\u{200e}'],
  ['right-to-left mark', '\u200f', '\\u{200f}'],
  ['Arabic letter mark', '\u061c', '\\u{61c}'],
  ...[...'\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069'].map((char): [string, string, string] => [
    `bidi control ${char.charCodeAt(0).toString(16)}`,
    char,
    `\\u{${char.charCodeAt(0).toString(16)}}`,
  ]),
  ['zero-width space', '\u200b', '\\u{200b}'],
  ['zero-width non-joiner', '\u200c', '\\u{200c}'],
  ['zero-width joiner alone', '\u200d', '\\u{200d}'],
  ['word joiner', '\u2060', '\\u{2060}'],
  ['byte order mark', '\ufeff', '\\u{feff}'],
  ['line separator', '\u2028', '\\u{2028}'],
  ['paragraph separator', '\u2029', '\\u{2029}'],
  ['soft hyphen', '\u00ad', '\\u{ad}'],
  ['half of a pair', '\ud83d', '\\u{d83d}'],
  ['tag character', '\u{e0041}', '\\u{e0041}'],
  ['noncharacter', '\uffff', '\\u{ffff}'],
];

describe('invisible characters are escaped', () => {
  test.each(SHOWN)('%s', (_name, char, shown) => {
    expect(visible(`a${char}b`)).toBe(`a${shown}b`);
    expect(oneLine(`a${char}b`)).toBe(`a${shown}b`);
    expect(forTerminal(`a${char}b`, { color: true })).toBe(`a${shown}b`);
    const json = jsonText({ [char]: char });
    expect(json).not.toContain(char);
    expect(JSON.parse(json)).toEqual({ [char]: char });
  });

  test.each(['请介绍机器学习', 'e\u0301 ñ', '👩‍💻 👨‍👩‍👧‍👦 ❤️‍🔥 🏳️‍🌈 👩🏽‍🚀', 'العربية עברית', '\u0600١٢'])(
    '%s stays',
    (text) => {
      expect(visible(text)).toBe(text);
      expect(forTerminal(text, { color: false })).toBe(text);
    },
  );

  test('line ends and tabs stay in a text, and are a space in a line', () => {
    expect(visible('a\tb\nc')).toBe('a\tb\nc');
    expect(oneLine(' a\t\r\nb \n')).toBe('a b');
    expect(forTerminal('a,b\r\nc\rd', { color: false })).toBe('a,b\r\nc\\u{d}d');
  });

  test('colours pass if allowed, and no other escape sequence', () => {
    const text = '\u001b[31mred\u001b[0m \u001b]52;c;QQ==\u0007 \u001b[2J';
    const rest = '\\u{1b}]52;c;QQ==\\u{7} \\u{1b}[2J';
    expect(forTerminal(text, { color: true })).toBe(`\u001b[31mred\u001b[0m ${rest}`);
    expect(forTerminal(text, { color: false })).toBe(`\\u{1b}[31mred\\u{1b}[0m ${rest}`);
  });
});
