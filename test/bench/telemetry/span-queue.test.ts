import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { expect, test } from 'vitest';
import { SpanQueue } from '../../../src/bench/telemetry/span-queue.ts';

const span = {} as ReadableSpan;

test('exports one batch at a time, and all of them at the end', async () => {
  const batches: number[] = [];
  let atOnce = 0;
  const queue = new SpanQueue(async ({ length }) => {
    expect(++atOnce).toBe(1);
    batches.push(length);
    await Promise.resolve();
    atOnce--;
    return undefined;
  });
  for (let i = 0; i < 1100; i++) queue.onEnd(span);
  queue.kick();
  queue.kick();
  await queue.drain();
  expect(batches).toEqual([512, 512, 76]);
  expect([queue.added, queue.missing(), queue.cause]).toEqual([1100, 0, undefined]);
});

test('counts spans that were refused, and those that found the queue full', async () => {
  const refusing = new SpanQueue(async () => 'Bad Request (400)');
  refusing.onEnd(span);
  refusing.onEnd(span);
  await refusing.drain();
  expect([refusing.missing(), refusing.cause]).toEqual([2, 'Bad Request (400)']);

  const stuck = new SpanQueue(() => new Promise(() => {}), 3);
  for (let i = 0; i < 3; i++) stuck.onEnd(span);
  stuck.kick();
  for (let i = 0; i < 4; i++) stuck.onEnd(span);
  // Three are on their way without an answer, three wait, one was dropped.
  expect(stuck.missing()).toBe(7);
  expect(stuck.cause).toContain('too slow');
});
