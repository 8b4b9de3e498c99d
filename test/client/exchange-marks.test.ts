import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { exchange } from '../../src/client/exchange.ts';
import type { Connection, ConnectionSink } from '../../src/client/transport/connection.ts';
import { createRedactor } from '../../src/model/redaction/redactor.ts';
import { MARK_ORDER } from '../../src/model/timeline.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { CHUNKED_END, chatChunk } from '../support/raw-server.ts';

// Marks in order, whatever happens to a request, and in whatever order it happens.

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What the clock is ahead of the timers: the event loop was blocked for so long, and its timers are late. */
let blockedMs = 0;
const clock = { now: () => Date.now() + blockedMs, wallTime: () => new Date(0) };

class TestConnection implements Connection {
  usable = true;
  sink: ConnectionSink | undefined;
  send(_request: unknown, sink: ConnectionSink): void {
    this.sink = sink;
  }
  pause(): void {}
  resume(): void {}
  destroy(): void {
    this.usable = false;
    this.sink = undefined;
  }
}

const TEXTS = [
  chatChunk({ role: 'assistant', content: '' }),
  chatChunk({ content: 'a' }),
  chatChunk({ content: 'b' }) + chatChunk({ content: 'c' }),
  chatChunk({ content: 'cut' }).slice(0, 30),
  chatChunk({ content: 'cut' }).slice(30),
  chatChunk({}, 'stop'),
  'data: [DONE]\n\n',
  ': comment\n\n',
  'data: {"error":{"message":"overloaded"}}\n\n',
  CHUNKED_END,
];

type Step =
  | { do: 'wait' | 'block'; ms: number }
  | { do: 'read'; texts: readonly string[] }
  | { do: 'timer' | 'sent' | 'head' | 'end' | 'error' | 'unanswered' | 'abort' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('wait', 'block'), ms: fc.nat(60) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      texts: fc.array(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'timer' as const }) },
  fc.record({ do: fc.constantFrom('sent', 'head', 'end', 'error', 'unanswered', 'abort') }),
);

async function marksOf(steps: readonly Step[], decode: 'at-once' | 'later', begun: number) {
  blockedMs = 0;
  const originAt = clock.now();
  const stop = new AbortController();
  let connection = new TestConnection();
  let reads = 0;
  let last: Step | undefined;
  const result = exchange(connection, {
    dialect: getDialect('openai-chat'),
    request: { method: 'POST', path: '/', headers: {} },
    stream: true,
    timeouts: { connectMs: 50, firstByteMs: 80, idleMs: 100, totalMs: 400 },
    clock,
    originAt,
    scheduledAt: originAt,
    keepText: true,
    redactor: createRedactor([]),
    signal: stop.signal,
    decode,
    reconnect(unanswered) {
      unanswered.destroy();
      connection = new TestConnection();
      stage = 0;
      return connection;
    },
  });
  // What no connection does is left out: a head before the request was sent, bytes before a head.
  let stage = 0;
  const send = () => {
    if (stage > 0) return;
    stage = 1;
    connection.sink?.onSocket({ reused: true }, undefined);
    connection.sink?.onSent(clock.now());
  };
  const head = () => {
    if (stage !== 1) return;
    stage = 2;
    connection.sink?.onHeaders(clock.now(), 200, { 'content-type': 'text/event-stream' });
  };
  if (begun > 0) send();
  if (begun > 1) head();
  for (const one of steps) {
    const { sink } = connection;
    last = one;
    switch (one.do) {
      case 'wait':
        vi.advanceTimersByTime(one.ms);
        break;
      case 'timer':
        // One timer alone: the sockets are read before the jobs that it leaves.
        vi.advanceTimersToNextTimer();
        break;
      case 'block':
        blockedMs += one.ms;
        break;
      case 'read': {
        if (stage < 2) break;
        // The stamp is taken once, and handling what was read takes time too.
        const atMs = clock.now();
        reads++;
        for (const text of one.texts) {
          sink?.onRead(atMs, new TextEncoder().encode(text), reads);
          blockedMs += 0.01;
        }
        break;
      }
      case 'sent':
        send();
        break;
      case 'head':
        head();
        break;
      case 'end':
        sink?.onEnd(clock.now());
        connection.sink = undefined;
        break;
      case 'error':
        sink?.onError(clock.now(), new Error('lost'));
        connection.sink = undefined;
        break;
      case 'unanswered':
        sink?.onError(clock.now(), new Error('lost'), stage < 2);
        connection.sink = undefined;
        break;
      case 'abort':
        stop.abort();
        break;
      default:
        one satisfies never;
    }
  }
  vi.advanceTimersByTime(2_000);
  blockedMs += 2_000;
  vi.runAllTimers();
  const observation = await result;
  expect(vi.getTimerCount(), `after ${last?.do}`).toBe(0);
  return observation.marks;
}

test.each(['at-once', 'later'] as const)('marks are in order: %s', async (decode) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.constantFrom(0, 1, 2, 2, 2),
      async (steps, begun) => {
        const marks = await marksOf(steps, decode, begun);
        const names = MARK_ORDER.filter((name) => marks[name] !== undefined);
        const sorted = names.map((name) => marks[name]!).sort((a, b) => a - b);
        expect(names.map((name) => [name, marks[name]])).toEqual(names.map((name, i) => [name, sorted[i]]));
      },
    ),
    { numRuns: 400 },
  );
});

test.each(['at-once', 'later'] as const)('a service that goes on sending at a limit: %s', async (decode) => {
  const busy: Step[] = Array.from({ length: 100 }, () => [
    { do: 'timer' as const },
    { do: 'block' as const, ms: 7 },
    { do: 'read' as const, texts: [TEXTS[1]!] },
  ]).flat();
  const { lastToken, end } = await marksOf(busy, decode, 2);
  expect(lastToken).toBeGreaterThan(350);
  expect(end).toBeGreaterThanOrEqual(lastToken!);
});

test('data read in the turn in which a limit expires is in time', async () => {
  // The loop is blocked beyond the idle limit. Then its timer fires, and its sockets are read in the same turn.
  const connection = new TestConnection();
  blockedMs = 0;
  const startedAt = clock.now();
  const result = exchange(connection, {
    dialect: getDialect('openai-chat'),
    request: { method: 'POST', path: '/', headers: {} },
    stream: true,
    timeouts: { connectMs: 50, firstByteMs: 80, idleMs: 100, totalMs: 400 },
    clock,
    originAt: startedAt,
    scheduledAt: startedAt,
    keepText: true,
    redactor: createRedactor([]),
    decode: 'later',
  });
  const { sink } = connection;
  const read = (text: string, number: number) =>
    sink!.onRead(clock.now(), new TextEncoder().encode(text), number);
  sink!.onSocket({ reused: true }, undefined);
  sink!.onSent(clock.now());
  sink!.onHeaders(clock.now(), 200, {});
  read(TEXTS[1]!, 1);
  blockedMs = 150;
  vi.advanceTimersToNextTimer();
  read(TEXTS[2]!, 2);
  vi.advanceTimersByTime(1_000);
  const { outcome, marks, contentEvents } = await result;
  expect(contentEvents).toBe(3);
  expect(outcome).toMatchObject({ kind: 'timeout', phase: 'idle' });
  expect(marks.end! - marks.lastToken!).toBeGreaterThanOrEqual(100);
});
