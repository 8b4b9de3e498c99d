import { describe, expect, test } from 'vitest';
import type { SweepReport } from '../../../src/model/sweep.ts';
import { terminalSweep } from '../../../src/report/terminal/terminal-sweep.ts';
import { displayWidth } from '../../../src/report/text-width.ts';
import { smallSweep } from '../../analysis/sweep/sweeps.ts';

/** The small sweep, with the figures that the cells of a run give. */
function sweepWithFigures(): SweepReport {
  const sweep = smallSweep();
  const figures: Record<number, [number, number, number]> = {
    1: [50, 10, 10],
    2: [50, 20, 20],
    4: [51, 40, 40],
    5: [150, 41, 12],
    6: [200, 41, 4],
    8: [300, 42, 0],
  };
  const points = sweep.points.map((point) => {
    const [ttftP95Ms, requestsPerSecond, goodput] = figures[point.concurrency]!;
    return { ...point, ttftP95Ms, requestsPerSecond, goodput };
  });
  const [first, ...others] = points;
  const searches = sweep.searches.map((search) => ({
    ...search,
    knee: { level: 4, method: 'kneedle' as const },
  }));
  return { ...sweep, searches, points: [{ ...first!, verdict: 'unclear' }, ...others] };
}

const view = (width: number, more = {}) => terminalSweep(sweepWithFigures(), { width, color: 0, ...more });

describe('a sweep on a terminal', () => {
  test('has the range, the reason, the knee and the curve', () => {
    expect(view(80)).toMatchInlineSnapshot(`
      "Sweep
      objectives: ttft.p95 < 100ms, errors.rate < 1%; confidence 95 %

      4 streams: all objectives met; 5 streams: not met
      stopped by an objective: at 5 streams ttft.p95 is 150 ms (150 ms to 150 ms), not
      < 100ms
      knee of the throughput curve: 4 streams (Kneedle, Satopaa et al. 2011)

      streams  TTFT p95           req/s           good/s           SLO
            1     50 ms █▍         10/s █▉          10/s ██        met?
            2     50 ms █▍         20/s ███▊        20/s ████      met
            4     51 ms █▍         40/s ███████▋    40/s ████████  met, capacity, knee
            5    150 ms ████       41/s ███████▊    12/s ██▍       not met
            6    200 ms █████▍     41/s ███████▊   4.0/s ▊         not met
            8    300 ms ████████   42/s ████████     0/s           not met
      with a question mark: by the point estimate, the interval does not decide"
    `);
  });

  test('with ASCII characters only', () => {
    const text = view(80, { ascii: true });
    expect([...text].filter((char) => char > '~')).toEqual([]);
    expect(text).toMatch(/^ +8 +300 ms #+ +42\/s #+ +0\/s +not met$/m);
  });

  test('no line is wider than the terminal; a narrow one drops the marks before the bars', () => {
    for (const width of [40, 50, 60, 70, 80, 100, 120, 200]) {
      const lines = view(width).split('\n');
      expect(lines.filter((line) => displayWidth(line) > Math.max(width, 50))).toEqual([]);
    }
    expect(view(60)).toMatch(/█/);
    expect(view(60)).not.toMatch(/met, capacity/);
    expect(view(100)).toMatch(/met, capacity, knee/);
  });

  test('colors only where they are wanted', () => {
    expect(view(80)).not.toContain('\u001b');
    expect(view(80, { color: 1 })).toContain('\u001b[32mmet');
  });

  test('several searches have their names', () => {
    const sweep = sweepWithFigures();
    const [one] = sweep.searches;
    const two = {
      ...sweep,
      searches: [one!, { ...one!, target: 'big', capacity: null, range: { met: null, broken: 1 } }],
    };
    const text = terminalSweep(two, { width: 80, color: 0 });
    expect(text).toContain('\nflash · short · streaming\n');
    expect(text).toContain(
      '\nbig · short · streaming\nno level was shown to meet all objectives; 1 stream: not met\n',
    );
  });
});
