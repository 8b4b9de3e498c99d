import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { liveView } from '../../../src/cli/progress/live-view.ts';
import type { ProgressState } from '../../../src/cli/progress/progress-state.ts';
import { displayWidth } from '../../../src/report/text-width.ts';

const state: ProgressState = {
  phase: 'measuring',
  elapsedMs: 12_000,
  leftMs: 41_000,
  share: 0.275,
  done: 132,
  failed: 3,
  total: 480,
  round: 2,
  rounds: 5,
  inFlight: 16,
  utilization: 0.12,
  cell: {
    name: '一个模型 · short · 16 streams · streaming',
    done: 80,
    failed: 3,
    ttft: { p50: 182, p95: 420, trend: [180, 190, 200, 420, 240, 180, 170, 175] },
    perSecond: { value: 1412, unit: 'tokens' },
  },
};
const plain = { color: 0, ascii: false } as const;

test('the live view at 60, 80 and 120 columns', () => {
  const views = [60, 80, 120].map((width) => liveView(state, { ...plain, width }).join('\n'));
  expect(`\n${views.join('\n\n')}\n`).toMatchInlineSnapshot(`
    "
    41 s left  round 2/5  一个模型 · short · 16 streams · stre…
    ████▋░░░░░░░░░░░░  132/480 requests  3 failed  16 in flight
    TTFT p50 182 ms, p95 420 ms  1412 tokens/s
    client 12 % busy
    ▄▄▄█▅▄▄▄  TTFT 0 to 420 ms

    41 s left  round 2/5  一个模型 · short · 16 streams · streaming
    ██████████▏░░░░░░░░░░░░░░░░░░░░░░░░░░  132/480 requests  3 failed  16 in flight
    TTFT p50 182 ms, p95 420 ms  1412 tokens/s  client 12 % busy
    ▄▄▄█▅▄▄▄  TTFT 0 to 420 ms

    41 s left  round 2/5  一个模型 · short · 16 streams · streaming
    ███████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  132/480 requests  3 failed  16 in flight
    TTFT p50 182 ms, p95 420 ms  1412 tokens/s  client 12 % busy
    ▄▄▄█▅▄▄▄  TTFT 0 to 420 ms
    "
  `);
});

test('the live view in ASCII characters keeps the letters of names', () => {
  const lines = liveView(state, { ...plain, width: 80, ascii: true });
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    41 s left  round 2/5  一个模型 - short - 16 streams - streaming
    ##########...........................  132/480 requests  3 failed  16 in flight
    TTFT p50 182 ms, p95 420 ms  1412 tokens/s  client 12 % busy
    ===#+===  TTFT 0 to 420 ms
    "
  `);
  expect(lines.join('').replaceAll('一个模型', '')).toMatch(/^[\x20-\x7e]*$/);
});

test('before anything is known, the view says so', () => {
  const start: ProgressState = {
    ...{ phase: 'preparing', elapsedMs: 900, done: 0, failed: 0, total: null, round: 0, rounds: 0 },
  };
  expect(liveView(start, { ...plain, width: 80 })).toEqual(['0.9 s so far  preparing', '0 requests']);
  expect(liveView({ ...start, phase: 'warming up', total: 40, share: 0 }, { ...plain, width: 60 })).toEqual([
    '0.9 s so far  warming up',
    `${'░'.repeat(32)}  0/40 requests  warming up`,
  ]);
});

describe('at any width', () => {
  const states = [
    state,
    { ...state, total: null, share: undefined, leftMs: undefined, judged: '8 streams: 一个模型 '.repeat(9) },
  ];
  test('no line reaches the last column, and color changes no width', () => {
    for (const one of states) {
      for (let width = 4; width <= 200; width++) {
        const lines = liveView(one, { ...plain, width });
        for (const line of lines) expect(displayWidth(line)).toBeLessThan(width);
        const colored = liveView(one, { ...plain, color: 1, width });
        expect(colored.map(stripVTControlCharacters)).toEqual(lines);
      }
    }
  });

  test('without color there is no escape sequence', () => {
    expect(liveView(state, { ...plain, width: 80 }).join('')).not.toContain('\u001b');
  });
});

test.each([
  [400, '0 s left'],
  [89_000, '89 s left'],
  [95_000, '2 min left'],
  [3 * 3_600_000, '3 h 0 min left'],
])('%d ms left are %s', (leftMs, text) => {
  expect(liveView({ ...state, leftMs, rounds: 1 }, { ...plain, width: 80 })[0]).toBe(
    `${text}  一个模型 · short · 16 streams · streaming`,
  );
});
