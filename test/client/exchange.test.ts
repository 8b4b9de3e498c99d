import { setImmediate as afterReads } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { exchange } from '../../src/client/exchange.ts';
import type { ExchangeOptions } from '../../src/client/exchange-options.ts';
import type { Connection, ConnectionSink } from '../../src/client/transport/connection.ts';
import { DEFAULT_TIMEOUTS } from '../../src/model/plan.ts';
import { createRedactor } from '../../src/model/redaction/redactor.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { chatChunk } from '../support/raw-server.ts';

/** A connection on which the test says what is read and when. */
class TestConnection implements Connection {
  usable = true;
  sink!: ConnectionSink;
  private atMs = 0;
  private reads = 0;

  send(_request: unknown, sink: ConnectionSink): void {
    this.sink = sink;
    sink.onSocket({ reused: true }, undefined);
    sink.onSent(1);
    sink.onHeaders(2, 200, { 'content-type': 'text/event-stream' });
    this.atMs = 2;
  }

  pause(): void {}
  resume(): void {}

  destroy(): void {
    this.usable = false;
  }

  /** A read, 10 ms after the one before, with these chunks in it. The memory is used for something else afterwards. */
  read(...texts: string[]): void {
    this.atMs += 10;
    this.reads++;
    for (const text of texts) {
      const chunk = new TextEncoder().encode(text);
      this.sink.onRead(this.atMs, chunk, this.reads);
      chunk.fill(0);
    }
  }

  end(): void {
    this.sink.onEnd(this.atMs + 10);
  }
}

const clock = { now: () => 0, wallTime: () => new Date(0) };

function begin(options: Partial<ExchangeOptions> = {}) {
  const connection = new TestConnection();
  const result = exchange(connection, {
    dialect: getDialect('openai-chat'),
    request: { method: 'POST', path: '/', headers: {} },
    stream: true,
    timeouts: DEFAULT_TIMEOUTS,
    clock,
    originAt: 0,
    scheduledAt: 0,
    keepText: true,
    redactor: createRedactor([]),
    ...options,
  });
  return { connection, result };
}

const word = (text: string) => chatChunk({ content: text });
const FINISH = `${chatChunk({}, 'stop')}data: [DONE]\n\n`;

/** Words as they are told, and what `begin` needs for it. */
function listener() {
  const told: string[] = [];
  const onEvents: ExchangeOptions['onEvents'] = (events) => {
    for (const event of events) if (event.type === 'message_chunk') told.push(event.text);
  };
  return { told, onEvents };
}

describe('what was read', () => {
  test('is reported to a listener in the turn of the event loop in which it was read, not earlier', async () => {
    const { told, onEvents } = listener();
    const { connection, result } = begin({ onEvents });
    for (const text of ['a', 'b', 'c']) {
      connection.read(word(text));
      expect(told).not.toContain(text);
      await afterReads();
      expect(told.at(-1)).toBe(text);
    }
    connection.read(FINISH);
    connection.end();
    expect(await result).toMatchObject({ outcome: { kind: 'ok' }, text: 'abc', gaps: [10, 10] });
  });

  test('is decoded later without a listener, and completely at the end', async () => {
    const { told, onEvents } = listener();
    const { connection, result } = begin({ onEvents, decode: 'later' });
    for (const text of ['a', 'b', 'c', FINISH]) {
      connection.read(text === FINISH ? text : word(text));
      await afterReads();
    }
    expect(told).toEqual([]);
    connection.end();
    const { outcome, marks, gaps, reads, coalesced } = await result;
    expect(told).toEqual(['a', 'b', 'c']);
    expect(outcome.kind).toBe('ok');
    // Each event has the time at which it was read, not that at which it was decoded.
    expect(marks).toMatchObject({ firstByte: 12, firstToken: 12, lastToken: 32, end: 42 });
    expect({ gaps, reads, coalesced }).toEqual({ gaps: [10, 10], reads: 4, coalesced: 0 });
  });

  test('is not buffered beyond a limit, with or without a listener', async () => {
    const { told, onEvents } = listener();
    const { connection, result } = begin({ onEvents, decode: 'later' });
    const long = 'x'.repeat(1_000);
    for (let i = 0; i < 100; i++) connection.read(word(long));
    expect(told.length).toBeGreaterThan(80);
    connection.sink.onError(2_000, new Error('gone'));
    expect(await result).toMatchObject({ outcome: { kind: 'truncated' }, reads: 100, contentEvents: 100 });
    expect(told).toHaveLength(100);
  });

  test.each(['at-once', 'later'] as const)('in one read of the socket is one read: %s', async (decode) => {
    const { connection, result } = begin({ decode });
    connection.read(word('a'), word('b'), word('c'), word('d'));
    await afterReads();
    const [head, tail] = [word('f').slice(0, 9), word('f').slice(9)];
    connection.read(word('e'), head);
    connection.read(tail, FINISH);
    connection.end();
    const { reads, coalesced, gaps, events } = await result;
    // The event that was cut belongs to the read that completed it.
    expect({ reads, coalesced, gaps, events }).toEqual({ reads: 3, coalesced: 3, gaps: [10, 10], events: 8 });
  });

  test('in one read keeps its read number when it exceeds the buffer', async () => {
    const { connection, result } = begin();
    const long = 'x'.repeat(5_000);
    connection.read(...Array.from({ length: 10 }, () => word(long)), FINISH);
    connection.end();
    expect(await result).toMatchObject({ outcome: { kind: 'ok' }, reads: 1, coalesced: 9, gaps: [] });
  });

  test('counts also when the request is cancelled before it was decoded', async () => {
    const stop = new AbortController();
    const { connection, result } = begin({ signal: stop.signal });
    connection.read(word('a') + word('b'));
    connection.read(word('c'));
    stop.abort('enough');
    connection.read(word('d'));
    expect(await result).toMatchObject({
      outcome: { kind: 'cancelled', message: 'enough' },
      text: 'abc',
      reads: 2,
      coalesced: 1,
      partial: true,
    });
    expect(connection.usable).toBe(false);
  });

  test('is not reported after a listener ended the request', async () => {
    const stop = new AbortController();
    const told: string[] = [];
    const { connection, result } = begin({
      signal: stop.signal,
      onEvents(events) {
        for (const event of events) {
          if (event.type !== 'message_chunk') continue;
          told.push(event.text);
          if (event.text === 'b') stop.abort();
        }
      },
    });
    connection.read(word('a'));
    connection.read(word('b') + word('c'));
    connection.read(word('d'));
    const { outcome, gaps, marks } = await result;
    expect(outcome.kind).toBe('cancelled');
    await afterReads();
    expect(told).toEqual(['a', 'b']);
    // Nor is it counted afterwards.
    expect(gaps).toEqual([10]);
    expect(marks.lastToken).toBe(22);
  });

  test('is copied for an onBytes listener, which may keep it', async () => {
    const kept: Uint8Array[] = [];
    const { connection, result } = begin({ onBytes: (chunk) => kept.push(chunk) });
    connection.read(word('a'));
    connection.read(word('b'));
    connection.end();
    await result;
    expect(kept.map((chunk) => new TextDecoder().decode(chunk))).toEqual([word('a'), word('b')]);
  });

  test('of one whole answer is joined from all reads', async () => {
    const { connection, result } = begin({ stream: false });
    const body = JSON.stringify({
      choices: [{ index: 0, message: { content: '天津' }, finish_reason: 'stop' }],
    });
    connection.read(body.slice(0, 40));
    await afterReads();
    connection.read(body.slice(40));
    connection.end();
    expect(await result).toMatchObject({ outcome: { kind: 'ok' }, text: '天津', reads: 2 });
  });

  test('does not end before its last content, whichever event marked the end', async () => {
    const twice = {
      ...getDialect('sse'),
      decoder: () => ({
        decode: ({ data }: { data: string }) =>
          data === 'end'
            ? [{ type: 'complete' as const, finish: 'stop' as const }]
            : [{ type: 'message_chunk' as const, text: data }],
        end: () => [],
      }),
    };
    const { connection, result } = begin({ dialect: twice });
    for (const text of ['a', 'end', 'b']) connection.read(`data: ${text}\n\n`);
    connection.end();
    const { marks } = await result;
    expect(marks).toMatchObject({ lastToken: 32, end: 32 });
  });

  test('was sent before its response, even if the confirmation comes later', async () => {
    const { connection, result } = begin();
    connection.sink.onSent(9);
    connection.sink.onHeaders(5, 200, {});
    connection.read(FINISH);
    connection.end();
    expect((await result).marks).toMatchObject({ sent: 5, headers: 5 });
  });
});
