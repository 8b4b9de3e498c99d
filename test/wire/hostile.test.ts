import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../src/model/events.ts';
import { createRandom, type Random } from '../../src/model/seeded-random.ts';
import type { AnswerContext, Dialect } from '../../src/wire/dialect.ts';
import { DIALECT_NAMES, type DialectOptions, getDialect } from '../../src/wire/dialects/index.ts';
import type { Frame } from '../../src/wire/framing/framings.ts';
import { CORPUS, HAS_CORPUS } from './corpus.ts';
import { HEAVY, mutatedBytes, mutatedFrames, mutatedPayload, withValue } from './hostile.ts';
import { fault } from './sound.ts';
import { cut, decodeFrames, decodeReads, encodeFrames, frameBytes, readFrames } from './streams.ts';

// Whatever a server sends, decoders give well-formed events, and encoders take what decoders gave. One exception here
// would end a process that serves others. STREAMBENCH_MUTATIONS sets how many mutations are tried in all, and
// STREAMBENCH_SEED which.

const MUTATIONS = Number(process.env.STREAMBENCH_MUTATIONS ?? 120_000);
const SEED = Number(process.env.STREAMBENCH_SEED ?? 1);

const VARIANTS: [string, string, DialectOptions][] = [
  ...DIALECT_NAMES.map((name): [string, string, DialectOptions] => [name, name, {}]),
  ['sse by path', 'sse', { textPath: 'choices.0.delta.content' }],
  ['ndjson by path', 'ndjson', { textPath: 'a.b' }],
];

const ANSWER: readonly StreamEvent[] = [
  { type: 'start' },
  { type: 'thinking', text: '想 a' },
  { type: 'message_chunk', text: '<think>é👩‍👧' },
  { type: 'message_chunk', text: ' you</think>' },
  { type: 'tool_call', index: 0, id: 'call_1', name: 'get', arguments: '{"q":' },
  { type: 'tool_call', index: 0, arguments: '"天"}' },
  { type: 'tool_result', id: 'call_1', result: { a: [1, { b: null }] } },
  { type: 'step_complete', step: 1 },
  { type: 'memory_update', data: { a: 1 } },
  { type: 'metadata', data: { b: [2] } },
  { type: 'usage', inputTokens: 3, outputTokens: 5, reasoningTokens: 1 },
  { type: 'complete', finish: 'length' },
];

const CONTEXT: AnswerContext = { id: 'answer-1', model: 'model-1', createdSeconds: 1_700_000_000 };

/** Encodes what any answer is made of: what came in one dialect is passed on in another. */
const RELAY = getDialect('conversation');

let tried = 0;

/** Fails unless the events are well-formed and can be written. */
function expectSound(dialect: Dialect, events: readonly StreamEvent[], seen: () => string): void {
  tried++;
  const bad = events.map(fault).find((found) => found !== undefined);
  if (bad !== undefined) expect.fail(`${bad}\n${seen()}`);
  frameBytes(dialect, encodeFrames(dialect, events, CONTEXT));
  encodeFrames(RELAY, events, CONTEXT);
  dialect.encodeWhole(events, CONTEXT);
}

/** Runs `work`, and names what it was given when it fails. */
function trying<T>(seen: () => string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`${String(error)}\nwith ${seen()}`, { cause: error });
  }
}

const shown = (value: unknown) => JSON.stringify(value).slice(0, 2_000);

/** Places to cut at, few or many. */
function places(random: Random): number[] {
  return Array.from({ length: random.below(8) }, () => random.below(1_000_000));
}

/** Recorded frames of the dialect, where recordings are at hand. */
function recorded(dialect: Dialect): Frame[][] {
  if (!HAS_CORPUS) return [];
  const index = readFileSync(join(CORPUS, 'INDEX.tsv'), 'utf8').trim().split('\n').slice(1);
  const names: Record<string, string> = { 'gemini-sse': 'gemini', 'gemini-json-array': 'gemini-array' };
  return index
    .map((line) => line.split('\t'))
    .filter(([, , kind = '']) => (names[kind] ?? kind) === dialect.name)
    .slice(0, 12)
    .map(([file = '']) =>
      readFrames(dialect, [readFileSync(join(CORPUS, file)).subarray(0, 12_000)]).slice(0, 30),
    )
    .filter((frames) => frames.length > 0);
}

describe.each(VARIANTS)('%s', (_title, name, options) => {
  const dialect = getDialect(name, options);
  const encoded = encodeFrames(dialect, ANSWER, CONTEXT);
  const streams = [encoded, encoded, ...recorded(dialect)];
  const { body } = dialect.encodeWhole(ANSWER, CONTEXT);

  test('mutated frames, bytes and whole answers', () => {
    const random = createRandom(SEED);
    const runs = Math.ceil(MUTATIONS / VARIANTS.length);
    for (let run = 0; run < runs; run++) {
      const frames = streams[random.below(streams.length)]!;
      const kind = random.below(4);
      if (kind < 2) {
        const changed = mutatedFrames(frames, random);
        trying(
          () => shown(changed),
          () => expectSound(dialect, decodeFrames(dialect, changed), () => shown(changed)),
        );
      } else if (kind === 2) {
        const bytes = mutatedBytes(frameBytes(dialect, encoded), random);
        const seen = () => shown(Buffer.from(bytes).toString('latin1'));
        trying(seen, () => expectSound(dialect, decodeReads(dialect, cut(bytes, places(random))), seen));
      } else {
        const whole = mutatedPayload(body, random);
        trying(
          () => shown(whole),
          () => expectSound(dialect, dialect.decodeWhole(whole), () => shown(whole)),
        );
      }
    }
  });

  test.each(HEAVY)('%s, anywhere', (_kind, value) => {
    const random = createRandom(SEED);
    const before = process.cpuUsage().user;
    const at = Array.from({ length: 3 }, () => random.below(encoded.length));
    for (const place of [...at, -1]) {
      const hostile = withValue(encoded[place]?.data ?? body, random, value);
      const changed = encoded.map((frame, i) => (i === place ? { ...frame, data: hostile } : frame));
      trying(
        () => shown(hostile),
        () => {
          expectSound(dialect, decodeFrames(dialect, changed), () => shown(hostile));
          expectSound(dialect, dialect.decodeWhole(hostile), () => shown(hostile));
        },
      );
    }
    // Some 10 ms a frame; a decoder that takes quadratic time needs a hundred times that.
    const perFrameMs = (process.cpuUsage().user - before) / 1000 / (at.length + 1);
    expect(perFrameMs).toBeLessThan(1_500);
  });
});

test('no prototype was changed, and every mutation was tried', () => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  for (const made of [Array, String, Number, Function, Map]) expect(Object.keys(made.prototype)).toEqual([]);
  expect(tried).toBeGreaterThanOrEqual(MUTATIONS);
});

afterAll(() => {
  for (const key of Object.keys(Object.prototype)) delete (Object.prototype as Record<string, unknown>)[key];
});
