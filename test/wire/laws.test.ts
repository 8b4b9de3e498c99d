import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StreamEvent, UsageEvent } from '../../src/model/events.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import type { AnswerContext, Dialect } from '../../src/wire/dialect.ts';
import { DIALECT_NAMES, type DialectOptions, getDialect } from '../../src/wire/dialects/index.ts';
import { readErrorBody } from '../../src/wire/errors.ts';
import { definedFields } from '../../src/wire/json.ts';
import { answer, chat, garbage, mutated } from './arbitraries.ts';
import {
  canonical,
  cut,
  decodeFrames,
  decodeReads,
  encodeBytes,
  encodeFrames,
  frameBytes,
  wholeOf,
} from './streams.ts';

// The laws that every dialect keeps. A new dialect is covered by being in the list.

const VARIANTS: [string, string, DialectOptions][] = [
  ...DIALECT_NAMES.map((name): [string, string, DialectOptions] => [name, name, { thinkTags: false }]),
  ['sse by path', 'sse', { textPath: 'choices.0.delta.content' }],
  ['ndjson by path', 'ndjson', { textPath: 'a.b' }],
];

/** Dialects that have no end but the end of the body. */
const ENDLESS = new Set(['sse', 'ndjson', 'raw']);

/** Dialects that have no word for why an answer ended. */
const WORDLESS = new Set([...ENDLESS, 'dify', 'playground']);

const FORMATS = VARIANTS.map(([title, name, options]): [string, Dialect] => [
  title,
  getDialect(name, options),
]);

const SMALL: readonly StreamEvent[] = [
  { type: 'start' },
  { type: 'thinking', text: '想' },
  { type: 'message_chunk', text: 'é👩‍👧' },
  { type: 'message_chunk', text: '你好' },
  { type: 'tool_call', index: 0, id: 'call_1', name: 'get', arguments: '{"q":"天"}' },
  { type: 'usage', inputTokens: 3, outputTokens: 5 },
  { type: 'complete', finish: 'length' },
];

function contextFor(dialect: Dialect, stream = true): AnswerContext {
  const asked: ChatRequest = { model: 'model-1', messages: [{ role: 'user', content: 'hi' }], stream };
  return { id: 'answer-1', model: 'model-1', createdSeconds: 1_700_000_000, request: served(dialect, asked) };
}

function served(dialect: Dialect, asked: ChatRequest): ChatRequest {
  const { method, path, body } = dialect.request(asked);
  const url = new URL(`http://server${path === '' ? `/${dialect.name}` : path}`);
  const request = { method, path: url.pathname, query: url.searchParams, body: body ?? '' };
  const parsed = dialect.parseRequest(request);
  expect(parsed, `${dialect.name} reads its own request`).toBeDefined();
  return parsed!;
}

/** The decoded events equal the encoded ones, apart from what a dialect may leave out of an event. */
function expectSame(
  decoded: readonly StreamEvent[],
  encoded: readonly StreamEvent[],
  dialect: Dialect,
): void {
  const joined = dialect.framing === 'raw';
  const wanted = canonical(
    encoded.filter((event) => dialect.carries.has(event.type)),
    joined,
  );
  const got = canonical(decoded, joined);
  expect(got.map((event) => event.type)).toEqual(wanted.map((event) => event.type));
  for (const [i, event] of wanted.entries()) {
    const other = { ...got[i]! };
    if (other.type === 'start') {
      expect(other.id ?? 'answer-1').toBe('answer-1');
      expect(other.model ?? 'model-1').toBe('model-1');
    } else if (other.type === 'usage') {
      expectCounts(other, event as typeof other);
      expect(other.outputTokens).toBe((event as typeof other).outputTokens);
    } else if (other.type === 'complete') {
      if (!WORDLESS.has(dialect.name)) expect(other.finish).toBe((event as typeof other).finish);
    } else if (other.type === 'step_complete' || other.type === 'tool_result') {
      expect(event).toMatchObject(definedFields(other));
    } else if (other.type === 'tool_call') {
      expect({ ...event, id: undefined }).toEqual({ ...other, id: undefined });
      expect(other.id ?? (event as typeof other).id).toBe((event as typeof other).id);
    } else {
      expect(other).toEqual(event);
    }
  }
}

/** A dialect may not carry a count, or may write 0 for one that is not known. */
function expectCounts(got: UsageEvent, wanted: UsageEvent): void {
  const { inputTokens, outputTokens, reasoningTokens = 0, cachedInputTokens = 0 } = wanted;
  expect({ inputTokens, outputTokens, reasoningTokens, cachedInputTokens, type: 'usage' }).toMatchObject(got);
}

/** Whatever came in: each event is well formed, nothing follows `complete`, no error is followed by `complete`. */
function expectSound(events: readonly StreamEvent[]): void {
  let ended: string | undefined;
  for (const event of events) {
    if (event.type === 'complete')
      expect(ended, 'complete comes once, and never after an error').toBeUndefined();
    if (ended === 'complete') expect(event.type, 'after complete').toBe('unknown');
    if (event.type === 'complete' || (event.type === 'error' && event.malformed !== true)) ended = event.type;
    switch (event.type) {
      case 'message_chunk':
      case 'thinking':
        expect(event.text).toBeTypeOf('string');
        expect(event.text).not.toBe('');
        break;
      case 'tool_call':
        expect(event.index).toBeGreaterThanOrEqual(0);
        expect(event.arguments).toBeTypeOf('string');
        break;
      case 'error':
        expect(event.message).toBeTypeOf('string');
        break;
      case 'unknown':
        expect(event.data).toBeTypeOf('string');
        break;
      default:
        break;
    }
  }
}

describe.each(FORMATS)('%s', (_title, dialect) => {
  const context = contextFor(dialect);

  test('decoding what was encoded gives the same events', () => {
    fc.assert(
      fc.property(answer(dialect), (events) => {
        expectSame(decodeReads(dialect, [encodeBytes(dialect, events, context)]), events, dialect);
      }),
    );
  });

  test('any split of the bytes gives the same events', () => {
    const joined = dialect.framing === 'raw';
    fc.assert(
      fc.property(answer(dialect), fc.array(fc.nat(10_000), { maxLength: 12 }), (events, places) => {
        const bytes = encodeBytes(dialect, events, context);
        const whole = decodeReads(dialect, [bytes]);
        expect(canonical(decodeReads(dialect, cut(bytes, places)), joined)).toEqual(canonical(whole, joined));
      }),
    );
  });

  test('every single cut, and byte by byte', () => {
    const joined = dialect.framing === 'raw';
    const bytes = encodeBytes(dialect, SMALL, context);
    const whole = canonical(decodeReads(dialect, [bytes]), joined);
    expectSame(whole, SMALL, dialect);
    for (let at = 0; at <= bytes.length; at++) {
      expect(canonical(decodeReads(dialect, cut(bytes, [at])), joined), `cut at ${at}`).toEqual(whole);
    }
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect(canonical(decodeReads(dialect, single), joined)).toEqual(whole);
  });

  test('garbage gives events, never an exception', () => {
    fc.assert(
      fc.property(fc.array(garbage, { maxLength: 5 }), (frames) => {
        expectSound(decodeFrames(dialect, frames));
      }),
      { numRuns: 150 },
    );
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (reads) => {
        expectSound(decodeReads(dialect, reads));
      }),
    );
  });

  test('a frame of plain words is kept: as text, as an error or as unknown', () => {
    for (const event of [undefined, 'odd']) {
      const events = decodeFrames(dialect, [{ data: 'lorem ipsum', ...(event ? { event } : {}) }]);
      expect(JSON.stringify(events)).toContain('lorem ipsum');
    }
  });

  test('an answer with one JSON value changed is read without an exception', () => {
    const frames = encodeFrames(dialect, SMALL, context);
    fc.assert(
      fc.property(
        fc.nat(frames.length - 1).chain((at) => fc.tuple(fc.constant(at), mutated(frames[at]!.data))),
        ([at, data]) => {
          const changed = frames.map((frame, i) => (i === at ? { ...frame, data } : frame));
          expectSound(decodeFrames(dialect, changed));
        },
      ),
      { numRuns: 150 },
    );
    const { body } = dialect.encodeWhole(SMALL, context);
    fc.assert(fc.property(mutated(body), (data) => expectSound(dialect.decodeWhole(data))));
    fc.assert(fc.property(fc.string(), (data) => expectSound(dialect.decodeWhole(data))));
  });

  test('a stream that was cut has no complete event', () => {
    if (ENDLESS.has(dialect.name)) return;
    const encode = dialect.encoder(context);
    const frames = SMALL.slice(0, -1).flatMap((event) => [...encode(event)]);
    for (let kept = 0; kept <= frames.length; kept++) {
      const events = decodeReads(dialect, [frameBytes(dialect, frames.slice(0, kept))]);
      expect(events.map((event) => event.type)).not.toContain('complete');
    }
  });

  test('an error in the stream is its last event', () => {
    if (!dialect.carries.has('error')) return;
    const events: StreamEvent[] = [
      { type: 'start' },
      { type: 'message_chunk', text: 'Hel' },
      { type: 'error', message: 'the engine died', code: 'server_error' },
    ];
    const decoded = decodeReads(dialect, [encodeBytes(dialect, events, context)]);
    expectSound(decoded);
    const last = decoded.filter((event) => event.type !== 'unknown').at(-1);
    expect(last).toMatchObject({ type: 'error', message: 'the engine died' });
    expect(decoded).toContainEqual({ type: 'message_chunk', text: 'Hel' });
  });

  test('a whole answer decodes to the same as the stream', () => {
    const asked = contextFor(dialect, false);
    fc.assert(
      fc.property(answer(dialect), (events) => {
        const decoded = dialect.decodeWhole(dialect.encodeWhole(events, asked).body);
        const wanted = wholeOf(events.filter((event) => dialect.carries.has(event.type)));
        const got = wholeOf(decoded);
        expect({ ...got, usage: undefined, calls: [], finish: undefined }).toEqual({
          ...wanted,
          usage: undefined,
          calls: [],
          finish: undefined,
        });
        expect(got.finish).toBeDefined();
        if (!WORDLESS.has(dialect.name)) expect(got.finish).toBe(wanted.finish);
        expect(got.calls.map((call) => ({ ...call, id: undefined }))).toEqual(
          wanted.calls.map((call) => ({ ...call, id: undefined })),
        );
        if (wanted.usage !== undefined) expectCounts(got.usage!, wanted.usage);
        expectSound(decoded);
      }),
    );
  });

  test('a server parses what the client requested', () => {
    fc.assert(
      fc.property(chat, (asked) => {
        const read = served(dialect, asked);
        if (read.model !== undefined) expect(read.model).toBe(asked.model);
        if (asked.maxTokens !== undefined) expect([undefined, asked.maxTokens]).toContain(read.maxTokens);
        expect([undefined, asked.temperature]).toContain(read.temperature);
        expect(read.stream).toBe(asked.stream);
        const said = read.messages.map((message) => message.content).join('\n');
        expect(said).toContain(asked.messages.at(-1)!.content);
        if (read.messages.length === asked.messages.length) expect(read.messages).toEqual(asked.messages);
      }),
    );
  });

  test('its path is its own', () => {
    const { path } = dialect.request({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
    });
    expect(
      dialect.ownsPath(new URL(`http://server/v1${path === '' ? `/${dialect.name}` : path}`).pathname),
    ).toBe(true);
    expect(dialect.ownsPath('/')).toBe(false);
    expect(dialect.ownsPath('/v1')).toBe(false);
    const nothing = { method: 'POST', path: '/nowhere', query: new URLSearchParams(), body: '{}' };
    expect(dialect.parseRequest(nothing)).toBeUndefined();
  });

  test('its error bodies are decoded', () => {
    const { body, contentType } = dialect.encodeError(503, 'the service is down');
    expect(contentType).toMatch(/json/);
    expect(readErrorBody(body)?.message).toBe('the service is down');
  });
});
