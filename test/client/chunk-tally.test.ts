import { describe, expect, test } from 'vitest';
import { ChunkTally, joinChunks } from '../../src/client/chunk-tally.ts';
import { ObservationBuilder } from '../../src/client/observation-builder.ts';
import { arrivalsOf, contentArrivalsOf } from '../../src/model/chunks.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import type { Observation } from '../../src/model/record.ts';
import { createRedactor } from '../../src/model/redaction/redactor.ts';

const START: StreamEvent = { type: 'start' };
const TEXT: StreamEvent = { type: 'message_chunk', text: 'a' };
const THOUGHT: StreamEvent = { type: 'thinking', text: 't' };
const CALL: StreamEvent = { type: 'tool_call', index: 0, arguments: '{}' };
const USAGE: StreamEvent = { type: 'usage', outputTokens: 4 };
const DONE: StreamEvent = { type: 'complete', finish: 'stop', raw: 'stop' };

/** Frames with the stamp of the read that brought them. */
type Timed = readonly (readonly [atMs: number, ...events: StreamEvent[]])[];

function observe(timed: Timed, options: { startedAt?: number; sentAt?: number; keepChunks?: boolean } = {}) {
  const { startedAt = 100, sentAt = startedAt + 1.5, keepChunks = true } = options;
  const builder = new ObservationBuilder({
    ...{ keepText: false, keepChunks, scheduledAt: startedAt, startedAt, originAt: 0 },
    request: { mode: 'streaming', dialect: 'openai-chat', framing: 'sse', method: 'POST' },
    redactor: createRedactor([]),
  });
  builder.onSent(sentAt);
  builder.onHeaders(sentAt, 200, {});
  let read = -1;
  let lastMs = sentAt;
  for (const [atMs, ...events] of timed) {
    if (atMs !== lastMs) read++;
    lastMs = atMs;
    builder.onFrame(events, atMs, read);
  }
  return { builder, finish: () => builder.finish(lastMs, { kind: 'eof' }) };
}

describe('kept chunks', () => {
  test('have the stamps of the marks and of the gaps, and say what they contain', () => {
    const seen = observe([
      [150.25, START],
      [150.25, THOUGHT],
      [170.1234, THOUGHT],
      [190.5, TEXT],
      [190.5, TEXT],
      [2_500_000.75, CALL],
      [2_500_001, USAGE],
      [2_500_001, DONE],
    ]).finish();
    expect(seen.chunks).toEqual({
      deltasUs: [50_250, 0, 19_873, 20_377, 0, 2_499_810_250, 250, 0],
      kinds: [
        ['other', 1],
        ['thinking', 2],
        ['answer', 2],
        ['tool', 1],
        ['other', 2],
      ],
    });
    const arrivals = arrivalsOf(seen)!;
    expect(arrivals.slice(0, 5)).toEqual([48.75, 48.75, 68.623, 89, 89]);
    const content = contentArrivalsOf(seen)!;
    expect(content).toHaveLength(seen.contentEvents);
    const { sent, firstToken, lastToken } = seen.marks;
    expect(content[0]).toBeCloseTo(firstToken! - sent!, 9);
    expect(content.at(-1)).toBeCloseTo(lastToken! - sent!, 9);
    const steps = content.slice(1).map((at, i) => at - content[i]!);
    expect(steps.filter((step) => step > 0).map((step) => step.toFixed(2))).toEqual(
      seen.gaps.map((gap) => gap.toFixed(2)),
    );
  });

  test('are absent unless they were requested', () => {
    const seen = observe([[150, TEXT]], { keepChunks: false }).finish();
    expect(seen.chunks).toBeUndefined();
    expect([arrivalsOf(seen), contentArrivalsOf(seen)]).toEqual([undefined, undefined]);
  });

  test('count from the start if the request was never confirmed as sent', () => {
    const marks = { scheduled: 0, started: 10 };
    expect(arrivalsOf({ marks, chunks: { deltasUs: [5_000, 1], kinds: [['other', 2]] } })).toEqual([
      5, 5.001,
    ]);
  });

  test('text that turns out to be reasoning is marked as reasoning', () => {
    const seen = observe([
      [110, START],
      [120, TEXT],
      [130, TEXT],
      [140, { type: 'answer_start', strip: 0 }, TEXT],
    ]).finish();
    expect(seen.chunks?.kinds).toEqual([
      ['other', 1],
      ['thinking', 2],
      ['answer', 1],
    ]);
  });

  test('include content that the end of the body releases, and nothing else of it', () => {
    const { builder, finish } = observe([[110, TEXT]]);
    builder.onEvents([TEXT], 110, 0);
    builder.onEvents([DONE], 120, 0);
    const seen = finish();
    expect(seen.chunks).toEqual({ deltasUs: [10_000, 0], kinds: [['answer', 2]] });
    expect(seen.contentEvents).toBe(2);
  });

  test('are bounded: later chunks are counted', () => {
    const tally = new ChunkTally(0, 3);
    for (let at = 1; at <= 5; at++) tally.add([TEXT], at);
    expect(tally.result()).toEqual({ deltasUs: [1000, 1000, 1000], kinds: [['answer', 3]], leftOut: 2 });
  });
});

describe('the chunks of a continued stream', () => {
  const first = () =>
    observe([
      [110, START],
      [120, TEXT],
    ]).finish();
  const second = () =>
    observe(
      [
        [310, TEXT],
        [320.5, TEXT],
      ],
      { startedAt: 300 },
    ).finish();

  test('are one list on one clock', () => {
    const joined = { ...first(), chunks: joinChunks(first(), second()) };
    expect(arrivalsOf(joined)).toEqual([8.5, 18.5, 208.5, 219]);
    expect(joined.chunks?.kinds).toEqual([
      ['other', 1],
      ['answer', 3],
    ]);
  });

  test('end where the first connection reached the limit', () => {
    const chunks = { deltasUs: [1], kinds: [['answer', 1]] as [['answer', 1]], leftOut: 7 };
    const full: Observation = { ...first(), chunks };
    expect(joinChunks(full, second())).toEqual({ ...chunks, leftOut: 9 });
  });

  test('are those of one where the other brought none', () => {
    const none = observe([]).finish();
    expect(joinChunks(first(), none)).toEqual(first().chunks);
    expect(arrivalsOf({ ...none, chunks: joinChunks(none, second()) })).toEqual([208.5, 219]);
  });
});
