import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../../src/model/redaction/redactor.ts';

const KEY = 'sk-Live+c4naRy/9Xq2"Zt7Lw5Bv';
const redactor = createRedactor([{ name: '[KEY]', value: KEY }]);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const unicode = (text: string) =>
  [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

const lowerHex = (text: string) => text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
const percent = Buffer.from(KEY).toString('hex').replaceAll(/../g, '%$&');

/** True when `text` holds `length` characters in a row of `secret`. */
function holds(text: string, secret: string, length: number): boolean {
  for (let i = 0; i + length <= secret.length; i++) {
    if (text.toLowerCase().includes(secret.slice(i, i + length).toLowerCase())) return true;
  }
  return false;
}

/** What is found, the part of it that the secret makes, and how many characters it makes of one. */
const SPELLINGS: [name: string, found: string, secret: string, expansion: number][] = [
  ['plain', KEY, KEY, 1],
  ['upper case', KEY.toUpperCase(), KEY, 1],
  ['JSON-escaped', JSON.stringify(KEY), JSON.stringify(KEY).slice(1, -1), 1],
  ['URL-encoded', encodeURIComponent(KEY), encodeURIComponent(KEY), 1],
  ['URL-encoded in lower case', lowerHex(encodeURIComponent(KEY)), lowerHex(encodeURIComponent(KEY)), 1],
  ['every character URL-encoded', percent, percent, 3],
  ['hex', Buffer.from(KEY).toString('hex'), Buffer.from(KEY).toString('hex'), 2],
  ['base64', base64(KEY), base64(KEY).slice(0, -3), 4 / 3],
  ['base64 of a header', base64(`Bearer ${KEY}`), base64(`Bearer ${KEY}`).slice(10, -3), 4 / 3],
  ['base64 of a name and key', base64(`user:${KEY}`), base64(`user:${KEY}`).slice(7, -3), 4 / 3],
  ['base64 of another length', base64(`users:${KEY}!`), base64(`users:${KEY}!`).slice(8, -4), 4 / 3],
  ['escapes', unicode(KEY), unicode(KEY), 6],
];

describe('a secret in a message', () => {
  test.each(SPELLINGS)('%s', (_name, found, secret, expansion) => {
    const clean = redactor.message(`HTTP 401: wrong key ${found}, sorry`);
    expect(clean).toMatch(/^HTTP 401: wrong key .*\[KEY\].*, sorry$/);
    expect(holds(clean, secret, 6 * expansion)).toBe(false);
  });

  test.each([
    [`pieces ${KEY.slice(0, 12)} and ${KEY.slice(12)}`, 'pieces [KEY] and [KEY]'],
    [`wrong: ${KEY.slice(0, 5)}*****${KEY.slice(-4)}.`, 'wrong: [KEY].'],
    [`wrong: ${KEY.slice(0, 3)}...${KEY.slice(-2)}!`, 'wrong: [KEY]!'],
    [`ends in …${KEY.slice(-4)}`, 'ends in [KEY]'],
    ['Wait... the model is overloaded ***', 'Wait... the model is overloaded ***'],
  ])('%s', (message, clean) => expect(redactor.message(message)).toBe(clean));

  test('every secret has its name', () => {
    const two = createRedactor([
      { name: '[A]', value: 'first-secret-value' },
      { name: '[B]', value: 'quite another one' },
    ]);
    expect(two.message('first-secret-value, quite another one')).toBe('[A], [B]');
  });

  test('there is nothing to do without a secret, or with one that could be any word', () => {
    expect(createRedactor([]).active).toBe(false);
    expect(createRedactor([{ name: '[port]', value: '8080' }]).active).toBe(false);
  });
});

describe('a secret in pieces of an answer', () => {
  /** The text in pieces of `size` characters. */
  const cut = (text: string, size: number) =>
    Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
  const clean = (pieces: readonly string[]) => {
    const stream = redactor.stream();
    return pieces.map((piece) => stream.push(piece)).join('') + stream.end();
  };

  test.each(SPELLINGS)('%s, cut anywhere', (_name, found, secret, expansion) => {
    const text = `Your header was ${found}; keep it safe.`;
    for (let size = 1; size <= 20; size++) {
      const shown = clean(cut(text, size));
      expect(shown).toContain('[KEY]');
      // What was let out before it could be known is less than half of a piece.
      expect(holds(shown, secret, Math.floor(4 * expansion))).toBe(false);
      expect(shown.startsWith('Your header was ')).toBe(true);
      expect(shown.endsWith('; keep it safe.')).toBe(true);
    }
  });

  test('ordinary text is unchanged and not delayed, also if it starts like a secret', () => {
    const stream = redactor.stream();
    expect(['Live ', 'and let ', 's', 'k', 'i', ' lively'].map((piece) => stream.push(piece))).toEqual([
      'Live ',
      'and let ',
      's',
      'k',
      'i',
      ' lively',
    ]);
    expect(clean(['sk-Li', 've is a prefix'])).toBe('sk-Live is a prefix');
    expect(clean(['the end: sk-Liv'])).toBe('the end: sk-Liv');
  });

  test('a long text takes time in proportion to its length', () => {
    const cost = (length: number) => {
      const text = KEY.slice(0, 7).repeat(length / 7);
      const before = process.cpuUsage();
      clean([text]);
      return process.cpuUsage(before).user;
    };
    cost(70_000);
    expect(cost(700_000) / Math.max(5_000, cost(70_000))).toBeLessThan(40);
  });
});

describe('what counts as secret', () => {
  const hide = (value: string) => createRedactor([{ name: '[S]', value }]);

  test('a value inside another one is hidden with it', () => {
    const redactor = createRedactor([
      { name: '[id]', value: 'abcdef' },
      { name: '[key]', value: 'abcdef.ghijkl' },
    ]);
    expect(redactor.message('abcdef.ghijkl abcdef')).toBe('[key] [id]');
  });

  test('a value without the white space around it, and a credential without its scheme', () => {
    expect(hide(' Bearer qwErty-4711 \n').text('token qwErty-4711!')).toBe('token [S]!');
    const basic = Buffer.from('joe:pass-Word-99').toString('base64');
    expect(hide(`Basic ${basic}`).text(`no ${basic}, no pass-Word-99`)).toBe('no [S], no [S]');
  });

  test('a slash may be escaped', () => {
    expect(hide('aB/cD/eF/gH').text(String.raw`{"k":"aB\/cD\/eF\/gH"}`)).toBe('{"k":"[S]"}');
  });

  test('a value that is not a credential is hidden only as a whole', () => {
    const value = 'https://models.example.org/v1';
    const redactor = createRedactor([{ name: '[URL]', value, whole: true }]);
    expect(redactor.text(`at ${value}?`)).toBe('at [URL]?');
    expect(redactor.message(`at ${encodeURIComponent(value)}?`)).toBe('at [URL]?');
    expect(redactor.message('https://models.example.org/v2')).toBe('https://models.example.org/v2');
  });

  test('common words stay, also where a key holds one', () => {
    const redactor = hide('streambench-secret-x81qz');
    const innocent = 'streambench: streaming, secret, {"schema":"streambench/report@3"}';
    expect(redactor.message(innocent)).toBe(innocent);
    expect(redactor.message('a streambench-secret-x81qz, h-secret-x81')).toBe('a [S], [S]');
    expect(hide('000000000000').text('0000000000')).toBe('0000000000');
  });
});

describe('a text that was cut', () => {
  test('inside a secret does not end with the beginning of it', () => {
    const redactor = createRedactor([{ name: '[KEY]', value: KEY }]);
    const text = `the key was ${KEY} and more`;
    for (let end = 13; end < text.length; end++) {
      const clean = redactor.message(text.slice(0, end), { cut: true });
      expect(holds(clean, KEY, 4)).toBe(false);
      expect(clean).toMatch(/^the key was /);
    }
    const quoted = base64(KEY);
    expect(redactor.message(`x ${quoted.slice(0, 5)}`, { cut: true })).toBe('x [KEY]');
  });
});

describe('a value', () => {
  const redactor = createRedactor([{ name: '[KEY]', value: KEY }]);

  test('is redacted in every text, names of fields included', () => {
    const value = { [KEY]: [KEY, 1, null, { deep: `a ${KEY}` }], gaps: [1, 2] };
    expect(redactor.value(value)).toEqual({ '[KEY]': ['[KEY]', 1, null, { deep: 'a [KEY]' }], gaps: [1, 2] });
  });

  test('that holds no secret is the same object', () => {
    const value = { text: 'nothing', list: [{ a: 1 }] };
    expect(redactor.value(value)).toBe(value);
  });

  test('nested without end does not break it', () => {
    let value: unknown = KEY;
    for (let i = 0; i < 50_000; i++) value = [value];
    expect(() => redactor.value(value)).not.toThrow();
  });
});
