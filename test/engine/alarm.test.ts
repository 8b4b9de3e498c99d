import { expect, test } from 'vitest';
import { alarmCells, createAlarm, sleeperFor } from '../../src/engine/alarm.ts';
import { timerSleep } from '../../src/engine/loop.ts';
import type { Cell } from '../../src/model/plan.ts';

const never = new Promise<void>(() => {});
const cell: Cell = { target: 't', prompt: 'p', mode: 'streaming', concurrency: 1 };

test('a closed loop sleeps by timers, an open loop by an alarm', () => {
  expect(sleeperFor({ cells: [cell] }).sleep).toBe(timerSleep);
  const open = sleeperFor({ cells: [cell, { ...cell, rate: 5 }] });
  expect(open.sleep).not.toBe(timerSleep);
  open.close();
});

test("an order's time is written before its number", () => {
  const { order, dueAt } = alarmCells();
  expect(order.buffer).toBe(dueAt.buffer);
  expect(order.byteOffset + order.byteLength).toBeLessThanOrEqual(dueAt.byteOffset);
});

// Uncompiled, the thread cannot start: a sleep ends all the same.
test('without its thread, an alarm sleeps by timers; a wait of 0 ends at once', async () => {
  const alarm = createAlarm();
  await alarm.sleep(1, never);
  await alarm.sleep(60_000, Promise.resolve());
  alarm.close();
  await alarm.sleep(0, never);
});
