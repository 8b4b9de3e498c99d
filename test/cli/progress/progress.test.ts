import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProgress } from '../../../src/cli/progress/progress.ts';
import { blockCounts, countsMemory } from '../../../src/engine/counts.ts';
import { type Block, type Cell, DEFAULT_TIMEOUTS, type RunPlan } from '../../../src/model/plan.ts';
import { forTerminal } from '../../../src/model/visible.ts';
import { record } from '../../metrics/records.ts';
import { Screen } from './screen.ts';

// The clock is that of the fake timers: nothing waits.
beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const cell: Cell = { target: 'flash', prompt: 'short', concurrency: 4, mode: 'streaming' };
const block: Block = { round: 0, cell: 0, requests: 4, warmup: 0 };
const plan: RunPlan = {
  targets: [],
  prompts: [],
  cells: [cell],
  blocks: [block, { ...block, round: 1 }],
  timeouts: DEFAULT_TIMEOUTS,
  seed: 1,
  keepText: false,
};

const shown = (text: string) => forTerminal(text, { color: false });

function open(columns: number, redraws = true) {
  const screen = new Screen(columns);
  const deps = { stderr: screen, shown, redraws, color: 0, ascii: false, now: () => Date.now() } as const;
  return { screen, progress: createProgress(deps) };
}

/** An open window with requests in flight. */
function windowWith(inFlight: number, utilization: number) {
  const counts = countsMemory();
  for (let i = 0; i < inFlight; i++) blockCounts(counts).enter(inFlight);
  return { counts, utilization: () => [utilization] };
}

describe('on a terminal', () => {
  test('shows what is left, where the run is, and its figures so far', () => {
    const { screen, progress } = open(100);
    progress.planned!(plan, 'results/x');
    progress.blockStarted!(block, cell);
    progress.windowOpened!(windowWith(3, 0.25), block, cell);
    vi.advanceTimersByTime(4_000);
    for (let i = 0; i < 3; i++) progress.recorded!(record(), cell);
    progress.recorded!(record({ outcome: { kind: 'truncated' } }), cell);
    vi.advanceTimersByTime(200);
    expect(screen.lines()).toMatchInlineSnapshot(`
      [
        "4 s left  round 1/2  flash · short · 4 streams · streaming",
        "████████████████████░░░░░░░░░░░░░░░░░░░░  4/8 requests  1 failed  3 in flight",
        "TTFT p50 100 ms, p95 100 ms  7.1 tokens/s  client 25 % busy",
        "███  TTFT 0 to 100 ms",
      ]
    `);
    progress.end();
    expect(screen.lines()).toEqual([]);
    const ended = screen.written.length;
    vi.advanceTimersByTime(5_000);
    expect(screen.written.length).toBe(ended);
  });

  test('draws at most ten frames a second, and fewer where a frame takes long', () => {
    const { screen, progress } = open(100);
    progress.planned!(plan, 'results/x');
    vi.advanceTimersByTime(10_000);
    const frames = screen.written.length;
    expect(frames).toBeGreaterThan(20);
    expect(frames).toBeLessThanOrEqual(100);
    // A terminal on a slow line: each write takes 50 ms.
    screen.onWrite = () => vi.setSystemTime(Date.now() + 50);
    vi.advanceTimersByTime(60_000);
    // 50 ms in 5 s are 1 % of the time.
    expect(screen.written.length - frames).toBeLessThanOrEqual(13);
    progress.end();
  });

  test('makes room for a message and is drawn below it', () => {
    const { screen, progress } = open(60);
    progress.planned!(plan, 'results/x');
    progress.blockStarted!(block, cell);
    vi.advanceTimersByTime(400);
    const before = screen.lines();
    progress.clear();
    expect(screen.lines()).toEqual([]);
    screen.write('^Cwarning: something\n');
    vi.advanceTimersByTime(400);
    expect(screen.lines()[0]).toBe('^Cwarning: something');
    expect(screen.lines().length).toBe(before.length + 1);
    progress.end();
    expect(screen.lines()).toEqual(['^Cwarning: something']);
  });

  test.each([30, 60, 99])('leaves nothing behind when the terminal gets %d columns', (columns) => {
    const { screen, progress } = open(100);
    screen.write('$ streambench run\n');
    progress.planned!(plan, 'results/x');
    progress.blockStarted!(block, {
      ...cell,
      target: '一个名字很长的模型',
      prompt: 'a long name of a prompt',
    });
    progress.windowOpened!(windowWith(3, 0.25), block, cell);
    vi.advanceTimersByTime(400);
    screen.resize(columns);
    vi.advanceTimersByTime(400);
    const [first, ...view] = screen.lines();
    expect(first).toBe('$ streambench run');
    expect(view).toHaveLength(3);
    screen.resize(140);
    vi.advanceTimersByTime(400);
    progress.end();
    expect(screen.lines()).toEqual(['$ streambench run']);
  });
});

describe('a log', () => {
  test('gets one line a cell', () => {
    const { screen, progress } = open(100, false);
    progress.planned!(plan, 'results/x');
    for (const round of [0, 1]) {
      progress.blockStarted!({ ...block, round }, cell);
      for (let i = 0; i < 4; i++) progress.recorded!(record(), cell);
      progress.blockEnded!({ ...block, round }, cell);
    }
    progress.end();
    expect(screen.written).toEqual([
      'flash · short · 4 streams · streaming: 8 requests, TTFT p50 100 ms, p95 100 ms (0 s left)\n',
    ]);
  });

  test('is never silent for longer than 15 s', () => {
    const { screen, progress } = open(100, false);
    vi.advanceTimersByTime(15_000);
    progress.planned!(plan, 'results/x');
    progress.blockStarted!({ ...block, warmup: 2 }, cell);
    vi.advanceTimersByTime(15_000);
    progress.windowOpened!(windowWith(4, 0.25), block, cell);
    vi.advanceTimersByTime(15_000);
    for (let i = 0; i < 3; i++) progress.recorded!(record(), cell);
    progress.recorded!(record({ outcome: { kind: 'truncated' } }), cell);
    vi.advanceTimersByTime(15_000);
    progress.end();
    vi.advanceTimersByTime(60_000);
    expect(screen.written.join('')).toMatchInlineSnapshot(`
      "0 requests; preparing
      0/8 requests; now flash · short · 4 streams · streaming: warming up
      0/8 requests, 4 in flight; now flash · short · 4 streams · streaming: 0 requests
      4/8 requests, 1 failed, 4 in flight, 45 s left; now flash · short · 4 streams · streaming: 4 requests, TTFT p50 100 ms, p95 100 ms
      "
    `);
  });
});

test.each([true, false])('names cannot move the cursor or turn the line (redraws: %s)', (redraws) => {
  const { screen, progress } = open(200, redraws);
  const hostile = { ...cell, target: 'a\u001b]52;c;QQ==\u0007\n', prompt: 'b\u202e\u200b\u2028c' };
  progress.planned!({ ...plan, cells: [hostile] }, 'results/x');
  progress.blockStarted?.(block, hostile);
  vi.advanceTimersByTime(500);
  for (let i = 0; i < 2; i++) progress.blockEnded!(block, hostile);
  progress.end();
  const text = stripVTControlCharacters(screen.written.join(''));
  expect(text).toContain(String.raw`a\u{1b}]52;c;QQ==\u{7} · b\u{202e}\u{200b}\u{2028}c`);
  expect(text.replaceAll(/[\n\r]/g, '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
});
