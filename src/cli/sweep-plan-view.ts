import { capacityAt, subjectsOf } from '../analysis/sweep/sweep-report.ts';
import { formatDuration } from '../model/format.ts';
import type { RunPlan } from '../model/plan.ts';
import type { SweepSettings } from '../model/sweep.ts';
import { oneLine } from '../model/visible.ts';
import { loadInWords, subjectName } from '../report/wording/sweep.ts';

/** The plan of a sweep in words. A sweep chooses its levels while it runs: only its bounds are known. */
export function sweepPlan({ cells }: RunPlan, sweep: SweepSettings): string {
  const [first, last] = [sweep.start, sweep.max].map((level) => loadInWords(capacityAt(sweep, level)));
  return [
    `a sweep from ${first} up to at most ${last}, for each of:`,
    ...subjectsOf(cells).map((subject) => `  ${subjectName(subject)}`),
    `Every level must meet: ${sweep.slo.map(oneLine).join(', ')}.`,
    `At most ${sweep.repeats} measurements of a level, and no new one after ${formatDuration(sweep.budgetMs)}.`,
    '',
  ].join('\n');
}
