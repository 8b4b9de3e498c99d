import type { AcceptedRun } from '../../../src/model/accepted-run.ts';
import type { TrackedFigure } from '../../../src/model/history.ts';
import { acceptedCell, acceptedRun, figure } from '../regression/accepted.ts';
import { trialRandom } from './simulation.ts';

/** Histories of accepted runs, made by hand. */

export const TTFT: TrackedFigure = { figure: 'ttft.p50', unit: 'ms', better: 'lower' };
export const MEAN: TrackedFigure = { figure: 'ttft.mean', unit: 'ms', better: 'lower' };
export const ERRORS: TrackedFigure = { figure: 'errors.rate', unit: 'ratio', better: 'lower' };

/** One run a day; its number is in its id and its commit. */
export function dailyRun(
  day: number,
  run: Pick<NonNullable<Parameters<typeof acceptedRun>[0]>, 'cells' | 'environment'> = {},
): AcceptedRun {
  const startedAt = new Date(Date.UTC(2026, 9, 1 + day, 3, 31)).toISOString();
  const number = String(day).padStart(3, '0');
  const made = acceptedRun({
    id: `${startedAt.slice(0, 19).replaceAll(':', '-')}-demo-0${number}`,
    ...run,
    environment: { gitCommit: `abcdef${number}`, ...run.environment },
  });
  return { ...made, manifest: { ...made.manifest, run: { ...made.manifest.run, startedAt } } };
}

/** Runs of two cells, whose times are `factor(day)` times 160 ms and 320 ms with a spread of 2 %. */
export function dailyRuns(
  count: number,
  factor: (day: number) => number,
  { first = 0, seed = 2 }: { first?: number; seed?: number } = {},
): AcceptedRun[] {
  const random = trialRandom(seed);
  return Array.from({ length: count }, (_, at) => {
    const day = first + at;
    const cells = (
      [
        [1, 160],
        [4, 320],
      ] as const
    ).map(([concurrency, ms]) => {
      const value = ms * factor(day) * Math.exp(0.02 * random.normal());
      return acceptedCell({ 'ttft.p50': figure(value), 'ttft.mean': figure(value * 1.1) }, { concurrency });
    });
    return dailyRun(day, { cells });
  });
}
