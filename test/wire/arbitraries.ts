import fc from 'fast-check';
import type { FinishReason, StreamEvent, UsageEvent } from '../../src/model/events.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import type { Dialect } from '../../src/wire/dialect.ts';
import type { Frame } from '../../src/wire/framing/framings.ts';
import { pieces } from './streams.ts';

/** Random answers, requests and garbage. */

const words = fc.constantFrom(
  'Hello',
  ' world',
  '你好',
  '，请介绍',
  '👩‍👩‍👧',
  '\u2028',
  '\n\n',
  '"}',
  ' ',
  '<b>',
  '\t',
  'é',
);

/** Text as models write it: never empty, all of Unicode but lone surrogates and bare CR. */
const text: fc.Arbitrary<string> = fc
  .oneof(words, fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }))
  .map((value) => value.replaceAll('\r', '') || 'x');

const name = fc.stringMatching(/^[a-z][a-z_]{0,9}$/);
const count = fc.nat(100_000);
const jsonObject = fc.dictionary(name, fc.oneof(text, count, fc.boolean(), fc.constant(null)), {
  maxKeys: 4,
});

/** A finish as the model reports it, without a provider's word. */
const finish: fc.Arbitrary<FinishReason> = fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter');

type Part = (index: number) => StreamEvent[];

const chunk: fc.Arbitrary<Part> = text.map((value) => () => [{ type: 'message_chunk', text: value }]);
const thinking: fc.Arbitrary<Part> = text.map((value) => () => [{ type: 'thinking', text: value }]);
const call: fc.Arbitrary<Part> = fc
  .tuple(fc.nat(1_000_000), name, jsonObject, fc.array(fc.nat(200), { maxLength: 4 }))
  .map(([id, called, args, places]) => (index) => {
    const whole = {
      type: 'tool_call',
      index,
      id: `call_${id}_${index}`,
      name: called,
      arguments: JSON.stringify(args),
    } as const;
    return pieces(whole, places);
  });
const result: fc.Arbitrary<Part> = fc.tuple(name, jsonObject).map(([id, value]) => () => [
  { type: 'tool_result', id, result: value },
]);
const step: fc.Arbitrary<Part> = fc.nat(20).map((number) => () => [{ type: 'step_complete', step: number }]);
const memory: fc.Arbitrary<Part> = jsonObject.map((data) => () => [{ type: 'memory_update', data }]);
const served: fc.Arbitrary<Part> = fc.tuple(name, text).map(([called, code]) => () => [
  { type: 'server_tool_call', index: 0, name: called, arguments: code },
]);
const media: fc.Arbitrary<Part> = fc
  .constantFrom('audio', 'image', 'file')
  .map((kind) => () => [{ type: 'media', kind: kind as 'audio', data: 'AAAA', mediaType: 'a/b' }]);
const answerStart: fc.Arbitrary<Part> = fc.nat(7).map((strip) => () => [{ type: 'answer_start', strip }]);
const metadata: fc.Arbitrary<Part> = jsonObject.map((data) => () => [{ type: 'metadata', data }]);

const usage: fc.Arbitrary<UsageEvent> = fc
  .tuple(count, fc.integer({ min: 1, max: 100_000 }), fc.option(count), fc.option(count))
  .map(([input, output, reasoning, cached]) => ({
    type: 'usage',
    inputTokens: input + (cached ?? 0),
    outputTokens: output + (reasoning ?? 0),
    ...(reasoning === null ? {} : { reasoningTokens: reasoning }),
    ...(cached === null ? {} : { cachedInputTokens: cached }),
  }));

/** A proper answer in the events that the dialect can carry: from `start` to `complete`. */
export function answer(dialect: Dialect): fc.Arbitrary<StreamEvent[]> {
  const parts: [StreamEvent['type'], fc.Arbitrary<Part>][] = [
    ['message_chunk', chunk],
    ['thinking', thinking],
    ['tool_call', call],
    ['server_tool_call', served],
    ['media', media],
    ['answer_start', answerStart],
    ['tool_result', result],
    ['step_complete', step],
    ['memory_update', memory],
    ['metadata', metadata],
  ];
  const carried = parts.filter(([type]) => dialect.carries.has(type)).map(([, part]) => part);
  return fc
    .tuple(fc.array(fc.oneof(...carried), { maxLength: 12 }), fc.option(usage), finish)
    .map(([made, counts, asked]) => {
      let calls = 0;
      const middle = made.flatMap((part) => {
        const events = part(calls);
        if (events[0]?.type === 'tool_call') calls++;
        return events;
      });
      // An answer with tool calls does not just stop, whatever its provider calls it.
      const reason = asked === 'stop' || asked === 'tool_calls' ? (calls > 0 ? 'tool_calls' : 'stop') : asked;
      const all: StreamEvent[] = [
        { type: 'start' },
        ...middle,
        ...(counts === null ? [] : [counts]),
        { type: 'complete', finish: reason },
      ];
      return all.filter((event) => dialect.carries.has(event.type));
    });
}

/** A request in all the fields that a dialect may carry. */
export const chat: fc.Arbitrary<ChatRequest> = fc
  .tuple(
    fc.option(text),
    fc.array(fc.tuple(text, text), { maxLength: 2 }),
    text,
    fc.option(fc.integer({ min: 1, max: 100_000 })),
    fc.option(fc.constantFrom(0, 0.5, 1)),
    fc.boolean(),
  )
  .map(([system, turns, last, maxTokens, temperature, stream]) => ({
    model: 'model-1',
    messages: [
      ...(system === null ? [] : [{ role: 'system' as const, content: system }]),
      ...turns.flatMap(([user, assistant]) => [
        { role: 'user' as const, content: user },
        { role: 'assistant' as const, content: assistant },
      ]),
      { role: 'user', content: last },
    ],
    ...(maxTokens === null ? {} : { maxTokens }),
    ...(temperature === null ? {} : { temperature }),
    stream,
  }));

/** A payload with one of its JSON values replaced by another. */
export function mutated(data: string): fc.Arbitrary<string> {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return fc.constant(data);
  }
  const paths: (string | number)[][] = [];
  const walk = (value: unknown, path: (string | number)[]) => {
    paths.push(path);
    if (typeof value === 'object' && value !== null) {
      for (const key of Object.keys(value)) walk((value as Record<string, unknown>)[key], [...path, key]);
    }
  };
  walk(json, []);
  return fc
    .tuple(
      fc.constantFrom(...paths),
      fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(null, '', 0, [], {}, { toString: 0 })),
    )
    .map(([path, value]) => {
      const copy = JSON.parse(data);
      if (path.length === 0) return JSON.stringify(value);
      let at = copy;
      for (const key of path.slice(0, -1)) at = at[key];
      at[path.at(-1)!] = value;
      return JSON.stringify(copy);
    });
}

/** Frames that no dialect sends. */
export const garbage: fc.Arbitrary<Frame> = fc
  .tuple(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      text,
      fc.constantFrom('{"', '[DONE', '{}', '[]', 'null', '{"error":{}}'),
    ),
    fc.option(fc.oneof(name, fc.constantFrom('error', 'message', 'ping'))),
    fc.boolean(),
  )
  .map(([data, event, incomplete]) => ({
    data,
    ...(event === null ? {} : { event }),
    ...(incomplete ? { incomplete: true as const } : {}),
  }));
