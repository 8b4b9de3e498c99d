import type { Random } from '../../src/model/seeded-random.ts';
import type { Frame } from '../../src/wire/framing/framings.ts';

/** What a hostile or broken server could send: payloads and bytes made from proper ones by a seeded generator. */

/** JSON texts that stand in for a value. Texts, because `1e400` and a key that comes twice exist only in writing. */
const VALUES: readonly string[] = [
  ...[
    'null',
    'true',
    'false',
    '""',
    '[]',
    '{}',
    '0',
    '-0',
    '-1',
    '1.5',
    '1e308',
    '-1e308',
    '1e400',
    '-1e400',
  ],
  ...[
    '1e-400',
    '9007199254740993',
    '4294967296',
    '"1e308"',
    '"17"',
    '"NaN"',
    '"[DONE]"',
    '"error"',
    '"stop"',
  ],
  ...[
    '"\\ud800"',
    '"\\udc00\\ud800x"',
    '"\\u0000"',
    '"\\r\\n\\r\\n"',
    '"</think>"',
    '"<think>"',
    '"\\u2028"',
  ],
  ...['"__proto__"', '"constructor"', '"toString"', '[null]', '[[]]', '[{}]', '["text"]', '[{"text":"x"}]'],
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":1,"a":[2],"toString":null,"length":3,"then":{},"toJSON":{}}',
  '{"type":"text","text":"x","index":0,"id":"a","name":"b","arguments":{},"delta":{},"error":{"message":"m"}}',
];

const KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  '0',
  'a.b',
];

/** Values that cost much to read, as JSON texts: they are tried less often. */
export const HEAVY: readonly [string, string][] = [
  ['arrays, 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000)],
  ['objects, 100,000 deep', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ['errors in errors, 9,000 deep', `${'{"error":'.repeat(9_000)}"x"${'}'.repeat(9_000)}`],
  ['500 deep', '['.repeat(500) + ']'.repeat(500)],
  ['brackets that never close', '[{"a":'.repeat(20_000)],
  ['a string of a million', JSON.stringify('x'.repeat(1_000_000))],
  ['a string of escapes', `"${'\\u0000\\n\\"'.repeat(20_000)}"`],
  ['an array of 100,000 numbers', `[${'0,'.repeat(99_999)}0]`],
  ['an array of 100,000 objects', `[${'{"a":{}},'.repeat(99_999)}{}]`],
  ['an object of 50,000 keys', `{${Array.from({ length: 50_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`],
  ['a number of 10,000 digits', '9'.repeat(10_000)],
  [
    '30,000 calls, each with an index',
    `[${Array.from({ length: 30_000 }, (_, i) => `{"index":${i},"id":"c${i}","function":{"name":"n","arguments":"{}"}}`).join(',')}]`,
  ],
  [
    '30,000 parts with text',
    `[${'{"type":"text","text":"x","thinking":"y","functionCall":{"name":"n"}},'.repeat(29_999)}{}]`,
  ],
  [
    '20,000 arguments by path',
    `[${Array.from({ length: 20_000 }, (_, i) => `{"jsonPath":"$.k${i}[9999]","numberValue":1}`).join(',')}]`,
  ],
];

/** One element of a list. */
function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)]!;
}

const MARK = '"\uE000mark"';

/** A payload with one value of its JSON replaced by `value`, a JSON text; without JSON, the value itself. */
export function withValue(data: string, random: Random, value: string): string {
  return edited(data, random, () => value);
}

/** A list takes the place of a list, where there is one: it is read further there. */
function prefer<T extends [Record<string, unknown>, string]>(
  places: T[],
  first: string | undefined,
  random: Random,
) {
  const lists = first === '[' ? places.filter(([object, key]) => Array.isArray(object[key])) : [];
  if (lists.length > 0 && random.below(2) === 0) return pick(random, lists);
  return places[random.below(places.length + 1)];
}

/** A payload with one thing changed. */
export function mutatedPayload(data: string, random: Random): string {
  switch (random.below(6)) {
    case 0:
      return cutOrJoined(data, random);
    case 1:
      // Another key beside those that are there, perhaps for a second time.
      return data.replace('{', () => `{"${pick(random, KEYS)}":${pick(random, VALUES)},`);
    case 2: {
      const key = /"(\w+)":/.exec(data)?.[1] ?? 'a';
      return data.replace(/\}$/, () => `,"${key}":${pick(random, VALUES)}}`);
    }
    case 3:
      return edited(data, random, (old) => `[${old},${old}]`);
    default:
      return withValue(data, random, pick(random, VALUES));
  }
}

function edited(data: string, random: Random, change: (old: string) => string): string {
  let root: unknown;
  try {
    root = JSON.parse(data);
  } catch {
    return change(JSON.stringify(data));
  }
  const places: [Record<string, unknown>, string][] = [];
  const walk = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push([value as Record<string, unknown>, key]);
      walk((value as Record<string, unknown>)[key]);
    }
  };
  walk(root);
  const place = prefer(places, change('')[0], random);
  if (place === undefined) return change(data);
  const [object, key] = place;
  const old = JSON.stringify(object[key]);
  object[key] = JSON.parse(MARK);
  return JSON.stringify(root).replace(MARK, () => change(old));
}

const JUNK: readonly string[] = [
  '\r',
  '\n',
  '\r\n\r\n',
  '\0',
  '\uFEFF',
  '\uD800',
  ':',
  '[DONE]',
  'data: ',
  '{',
  '}',
  '"',
  '<think>',
  '</think>',
  '\u2028',
];

function cutOrJoined(data: string, random: Random): string {
  const at = random.below(data.length + 1);
  switch (random.below(4)) {
    case 0:
      return data.slice(0, at);
    case 1:
      return data.slice(at);
    case 2:
      return data + data;
    default:
      return data.slice(0, at) + pick(random, JUNK).repeat(1 + random.below(20)) + data.slice(at);
  }
}

const NAMES: readonly string[] = [
  'error',
  'ping',
  'done',
  'corrupt',
  '__proto__',
  'constructor',
  'message_stop',
  'XException',
  'é\uD800',
  '',
];

/** Frames with one of them changed, left out, moved or sent twice. */
export function mutatedFrames(frames: readonly Frame[], random: Random): Frame[] {
  const changed = frames.map((frame) => ({ ...frame }));
  const at = random.below(changed.length);
  const frame = changed[at]!;
  switch (random.below(10)) {
    case 0:
      changed.splice(at, 1);
      break;
    case 1:
      changed.splice(random.below(changed.length), 0, { ...frame });
      break;
    case 2:
      frame.event = pick(random, NAMES);
      break;
    case 3:
      frame.incomplete = true;
      frame.data = frame.data.slice(0, random.below(frame.data.length + 1));
      break;
    default:
      frame.data = mutatedPayload(frame.data, random);
  }
  return changed;
}

const BROKEN_UTF8: readonly number[][] = [
  [0xc0],
  [0xff, 0xfe],
  [0xed, 0xa0, 0x80],
  [0xe2, 0x82],
  [0xf5, 0x80],
  [0xef, 0xbb, 0xbf],
  [0],
];
const LINE_ENDS = ['\r', '\n', '\r\n', '\n\n', '\r\r'];

/** The bytes of a stream with something changed anywhere: flipped, cut, repeated, put in. */
export function mutatedBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length + 1);
  const end = Math.min(copy.length, at + random.below(40));
  const [before, middle, after] = [copy.subarray(0, at), copy.subarray(at, end), copy.subarray(end)];
  switch (random.below(7)) {
    case 0:
      if (middle.length > 0) middle[0]! ^= 1 << random.below(8);
      return copy;
    case 1:
      return before;
    case 2:
      return Buffer.concat([before, after]);
    case 3:
      return Buffer.concat([before, middle, middle, middle, after]);
    case 4:
      return Buffer.concat([before, Buffer.from(pick(random, BROKEN_UTF8)), after]);
    case 5:
      return Buffer.concat([
        before,
        Buffer.from(pick(random, LINE_ENDS).repeat(1 + random.below(50))),
        middle,
        after,
      ]);
    default:
      return Buffer.concat([
        before,
        Buffer.from(Array.from({ length: random.below(30) }, () => random.below(256))),
        after,
      ]);
  }
}
