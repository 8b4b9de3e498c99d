import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProgress } from '../../src/cli/progress.ts';
import { type Cell, DEFAULT_TIMEOUTS, type RunPlan } from '../../src/model/plan.ts';
import { forTerminal } from '../../src/model/visible.ts';
import { record } from '../metrics/records.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const cell: Cell = { target: 'flash', prompt: 'short', concurrency: 4, mode: 'streaming' };
const block = { round: 0, cell: 0, requests: 4, warmup: 0 };
const plan: RunPlan = {
  targets: [],
  prompts: [],
  cells: [cell],
  blocks: [block, { ...block, round: 1 }],
  timeouts: DEFAULT_TIMEOUTS,
  seed: 1,
  keepText: false,
};

/** As much of a terminal as a display asks for, and what was written to it. */
function terminal(columns: number) {
  const written: string[] = [];
  const stream = {
    ...{ isTTY: true, columns, written },
    write: (text: string) => written.push(text) > 0,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  };
  return { written, stderr: stream as unknown as NodeJS.WriteStream };
}

const shown = (text: string) => forTerminal(text, { color: false });
const plain = (texts: readonly string[]) => texts.map(stripVTControlCharacters);

test('a terminal shows where the run is, on one line that is drawn again', () => {
  const { written, stderr } = terminal(100);
  let now = 0;
  const progress = createProgress({ stderr, shown, redraws: true, now: () => now });
  progress.planned!(plan, 'results/x');
  progress.blockStarted!(block, cell);
  for (let i = 0; i < 3; i++) progress.recorded!(record(), cell);
  progress.recorded!(record({ outcome: { kind: 'truncated' } }), cell);
  now = 4_000;
  progress.blockEnded!(block, cell);
  vi.advanceTimersByTime(500);
  expect(plain(written).at(-1)).toMatch(
    /^. +4\/8 · 1 failed · round 1\/2 · flash · short · 4 streams · streaming · 4 s left$/,
  );
  expect(written.join('')).not.toContain('\n');
  progress.end();
  const ended = written.length;
  vi.advanceTimersByTime(5_000);
  expect(written.length).toBe(ended);
});

test('a narrow terminal gets a shorter line, not a broken one', () => {
  const { written, stderr } = terminal(40);
  const progress = createProgress({ stderr, shown, redraws: true, now: () => 0 });
  progress.planned!(plan, 'results/x');
  progress.blockStarted!(block, cell);
  vi.advanceTimersByTime(500);
  for (const line of plain(written)) expect(line.length).toBeLessThanOrEqual(40);
  expect(plain(written).at(-1)).toMatch(/…$/);
  progress.end();
});

test('a log gets one line a cell', () => {
  const { written, stderr } = terminal(100);
  const progress = createProgress({ stderr, shown, redraws: false, now: () => 0 });
  progress.planned!(plan, 'results/x');
  for (const round of [0, 1]) {
    progress.blockStarted?.({ ...block, round }, cell);
    for (let i = 0; i < 4; i++) progress.recorded!(record(), cell);
    progress.blockEnded!({ ...block, round }, cell);
  }
  progress.end();
  expect(written).toEqual(['flash · short · 4 streams · streaming: 8 requests (0 s left)\n']);
});

test.each([true, false])('names cannot move the cursor or turn the line (redraws: %s)', (redraws) => {
  const { written, stderr } = terminal(200);
  const progress = createProgress({ stderr, shown, redraws, now: () => 0 });
  const hostile = { ...cell, target: 'a\u001b]52;c;QQ==\u0007\n', prompt: 'b\u202e\u200b\u2028c' };
  progress.planned!({ ...plan, cells: [hostile] }, 'results/x');
  progress.blockStarted?.(block, hostile);
  for (let i = 0; i < 2; i++) progress.blockEnded!(block, hostile);
  vi.advanceTimersByTime(500);
  progress.end();
  const text = plain(written).join('');
  expect(text).toContain(String.raw`a\u{1b}]52;c;QQ==\u{7} · b\u{202e}\u{200b}\u{2028}c`);
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
});
