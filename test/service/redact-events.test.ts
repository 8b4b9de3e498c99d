import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../src/model/events.ts';
import { createScrubber } from '../../src/service/scrub.ts';
import { scrubEvents } from '../../src/service/scrub-events.ts';

const KEY = 'sk-Live+c4naRy/9Xq2"Zt7Lw5Bv';
const scrubber = createScrubber([{ name: '[KEY]', value: KEY }])!;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const unicode = (text: string) =>
  [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

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
  ['hex', Buffer.from(KEY).toString('hex'), Buffer.from(KEY).toString('hex'), 2],
  ['base64', base64(KEY), base64(KEY).slice(0, -3), 4 / 3],
  ['base64 of a header', base64(`Bearer ${KEY}`), base64(`Bearer ${KEY}`).slice(10, -3), 4 / 3],
  ['base64 of a name and key', base64(`user:${KEY}`), base64(`user:${KEY}`).slice(7, -3), 4 / 3],
  ['base64 of another length', base64(`users:${KEY}!`), base64(`users:${KEY}!`).slice(8, -4), 4 / 3],
  ['escapes', unicode(KEY), unicode(KEY), 6],
];

describe('a secret in a message', () => {
  test.each(SPELLINGS)('%s', (_name, found, secret, expansion) => {
    const clean = scrubber.text(`HTTP 401: wrong key ${found}, sorry`);
    expect(clean).toMatch(/^HTTP 401: wrong key .*\[KEY\].*, sorry$/);
    expect(holds(clean, secret, 6 * expansion)).toBe(false);
  });

  test.each([
    [`pieces ${KEY.slice(0, 12)} and ${KEY.slice(12)}`, 'pieces [KEY] and [KEY]'],
    [`wrong: ${KEY.slice(0, 5)}*****${KEY.slice(-4)}.`, 'wrong: [KEY].'],
    [`wrong: ${KEY.slice(0, 3)}...${KEY.slice(-2)}!`, 'wrong: [KEY]!'],
    [`ends in …${KEY.slice(-4)}`, 'ends in [KEY]'],
    ['Wait... the model is overloaded ***', 'Wait... the model is overloaded ***'],
  ])('%s', (message, clean) => expect(scrubber.text(message)).toBe(clean));

  test('every secret has its name', () => {
    const two = createScrubber([
      { name: '[A]', value: 'first-secret-value' },
      { name: '[B]', value: 'quite another one' },
    ])!;
    expect(two.text('first-secret-value, quite another one')).toBe('[A], [B]');
  });

  test('there is nothing to do without a secret, or with one that could be any word', () => {
    expect(createScrubber([])).toBeUndefined();
    expect(createScrubber([{ name: '[port]', value: '8080' }])).toBeUndefined();
  });
});

describe('a secret in pieces of an answer', () => {
  /** The text in pieces of `size` characters. */
  const cut = (text: string, size: number) =>
    Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
  const clean = (pieces: readonly string[]) => {
    const stream = scrubber.stream();
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

  test('innocent text comes as it is and at once, also when it begins like a secret', () => {
    const stream = scrubber.stream();
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

describe('events', () => {
  const clean = async (events: StreamEvent[]) => {
    const out: StreamEvent[] = [];
    const source = (async function* () {
      yield* events;
    })();
    for await (const event of scrubEvents(source, scrubber)) out.push(event);
    return out;
  };
  const half = [KEY.slice(0, 7), KEY.slice(7)] as const;

  test('of every kind', async () => {
    const out = await clean([
      { type: 'start', id: KEY, model: KEY },
      { type: 'thinking', text: half[0] },
      { type: 'message_chunk', text: half[0] },
      { type: 'thinking', text: half[1] },
      { type: 'message_chunk', text: half[1] },
      { type: 'tool_call', index: 0, id: KEY, name: KEY, arguments: half[0] },
      { type: 'tool_call', index: 1, arguments: half[0] },
      { type: 'tool_call', index: 0, arguments: half[1] },
      { type: 'tool_call', index: 1, arguments: half[1] },
      { type: 'tool_result', id: KEY, result: { [KEY]: [KEY, 1, null] } },
      { type: 'step_complete', data: KEY },
      { type: 'memory_update', data: { facts: [KEY] } },
      { type: 'metadata', data: { deep: [[{ value: KEY }]] } },
      { type: 'usage', outputTokens: 3 },
      { type: 'unknown', name: KEY, data: JSON.stringify({ value: KEY }) },
      { type: 'complete', finish: 'stop', raw: KEY },
    ]);
    expect(holds(JSON.stringify(out), KEY, 8)).toBe(false);
    expect(out.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])).toEqual([
      'start',
      'thinking',
      'message_chunk',
      'tool_call',
      'tool_result',
      'step_complete',
      'memory_update',
      'metadata',
      'usage',
      'unknown',
      'complete',
    ]);
  });

  test('what is held back comes before the end, and when there is no end', async () => {
    const held: StreamEvent = { type: 'message_chunk', text: 'a sk-Liv' };
    const said = (events: StreamEvent[]) =>
      events.map((event) => (event.type === 'message_chunk' ? event.text : event.type)).join('|');
    expect(said(await clean([held, { type: 'complete', finish: 'stop' }]))).toBe('a |sk-Liv|complete');
    expect(said(await clean([held, { type: 'error', message: KEY }]))).toBe('a |sk-Liv|error');
    expect(said(await clean([held]))).toBe('a |sk-Liv');
  });
});
