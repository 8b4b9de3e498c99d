import type { ConclusionLine } from '../../model/conclusion.ts';
import { DASH } from '../../model/format.ts';
import type { SweepReport, SweepSearch } from '../../model/sweep.ts';
import { oneLine } from '../text-width.ts';
import { loadInWords, stopWord, subjectNames, sweepLevel } from '../wording/sweep.ts';

/** The conclusion of a sweep: a capacity for each of its searches. */

/** The names of the searches, and the lines about them. */
export function sweepLines(sweep: SweepReport): { sides: string[]; lines: ConclusionLine[] } {
  const { searches } = sweep;
  const [only] = searches;
  const of = (value: (search: SweepSearch) => string) => searches.map(value);
  const found = searches.every(({ capacity }) => capacity !== null);
  const knees = searches.some(({ knee }) => knee !== null);
  const line = (label: string, values: string[], text: string, outcome: ConclusionLine['outcome']) => ({
    topic: 'capacity' as const,
    label,
    values,
    text,
    outcome,
  });
  return {
    sides: subjectNames(sweep),
    lines: [
      line('capacity', of(capacityWord), '', found ? 'good' : 'bad'),
      line(
        'not met at',
        of(({ range }) => (range.broken === null ? DASH : sweepLevel(sweep, range.broken))),
        '',
        'neutral',
      ),
      ...(knees
        ? [
            line(
              'knee',
              of(({ knee }) => (knee === null ? DASH : sweepLevel(sweep, knee.level))),
              'of the throughput curve',
              'neutral',
            ),
          ]
        : []),
      line(
        'stopped by',
        of(stopWord),
        searches.length === 1 && only !== undefined ? oneLine(only.stop.message) : '',
        searches.some(({ stop }) => stop.reason === 'client') ? 'unknown' : 'neutral',
      ),
    ],
  };
}

/** Without a level that breaks an objective, the capacity is a lower bound. */
function capacityWord({ capacity, range }: SweepSearch): string {
  if (capacity === null) return 'none found';
  return `${range.broken === null ? 'at least ' : ''}${loadInWords(capacity)}`;
}
