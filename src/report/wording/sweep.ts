import type { LevelEvidence } from '../../analysis/sweep/evidence.ts';
import { verdictOf } from '../../analysis/sweep/measurement.ts';
import { levelInWords } from '../../model/cells.ts';
import { formatShare, formatValue } from '../../model/format.ts';
import type { Capacity, SweepPoint, SweepReport, SweepSearch, SweepSubject } from '../../model/sweep.ts';
import { oneLine } from '../text-width.ts';

/** The result of a sweep in words. */

/** A load in words: `16 streams`, `12.5 requests/s`. */
export function loadInWords({ concurrency = 0, rate }: Capacity): string {
  return levelInWords({ concurrency, rate });
}

/** A level of the sweep in words. */
export function sweepLevel({ by }: Pick<SweepReport, 'by'>, level: number): string {
  return loadInWords(by === 'rate' ? { rate: level } : { concurrency: level });
}

/** `flash · short · streaming`. */
export function subjectName({ target, prompt, mode }: SweepSubject): string {
  return [target, prompt, mode].map(oneLine).join(' · ');
}

/** What tells the searches apart: target, prompt and mode, where they differ. One search has one empty name. */
export function subjectNames({ searches }: SweepReport): string[] {
  const parts = (['target', 'prompt', 'mode'] as const).filter(
    (part) => new Set(searches.map((search) => search[part])).size > 1,
  );
  return searches.map((search) => parts.map((part) => oneLine(search[part])).join(' · '));
}

/** What was found for one subject: the range, why the search ended, and the knee. One sentence each. */
export function searchSentences(sweep: SweepReport, search: SweepSearch): string[] {
  const { met, broken } = search.range;
  const ends = [
    met === null
      ? 'no level was shown to meet all objectives'
      : `${sweepLevel(sweep, met)}: all objectives met`,
    ...(broken === null ? [] : [`${sweepLevel(sweep, broken)}: not met`]),
  ];
  const open =
    met !== null && broken !== null && !search.decided
      ? `; the levels between could not be decided within ${formatShare(sweep.precision)}`
      : '';
  return [
    `${ends.join('; ')}${open}`,
    `${STOPS[search.stop.reason]}: ${oneLine(search.stop.message)}`,
    ...(search.knee === null ? [] : [kneeInWords(sweep, search.knee.level)]),
  ];
}

const STOPS: Readonly<Record<SweepSearch['stop']['reason'], string>> = {
  objective: 'stopped by an objective',
  errors: 'stopped by errors',
  client: 'stopped by the client',
  limit: 'stopped at the limit',
  budget: 'stopped by the time limit',
  interrupted: 'interrupted',
};

/** Why a search stopped, in a word or two. */
export function stopWord({ stop }: SweepSearch): string {
  return STOPS[stop.reason].replace(/^stopped (by|at) (an? |the )?/, '');
}

function kneeInWords(sweep: SweepReport, level: number): string {
  return `knee of the throughput curve: ${sweepLevel(sweep, level)} (Kneedle, Satopaa et al. 2011)`;
}

/** The objectives of the sweep, in one sentence. */
export function objectivesLine({ objectives, confidence }: SweepReport): string {
  return `objectives: ${objectives.map(oneLine).join(', ')}; confidence ${formatShare(confidence)}`;
}

/** The points of a search, lowest load first. */
export function pointsOf(sweep: SweepReport, { target, prompt, mode }: SweepSubject): SweepPoint[] {
  return sweep.points.filter(
    (point) => point.target === target && point.prompt === prompt && point.mode === mode,
  );
}

/** The level of a point, as it is shown in a row. */
export function levelOfPoint({ concurrency, rate }: SweepPoint): number {
  return rate ?? concurrency;
}

/** The marks of a level: the capacity, the knee. */
export function pointMarks(point: SweepPoint, { range, knee }: SweepSearch): string[] {
  const level = levelOfPoint(point);
  return [...(level === range.met ? ['capacity'] : []), ...(level === knee?.level ? ['knee'] : [])];
}

/** What was judged last, for the progress: `met: ttft.p95 32 ms, errors.rate 0 %`. */
export function levelInSweep({ state, judgements, invalidReason }: LevelEvidence): string {
  const verdict = verdictOf(state);
  const figures = judgements.map(({ expression, value, unit }) => {
    const [name = expression] = expression.split(/\s*[<>]/);
    return `${name} ${formatValue(value, unit)}`;
  });
  const reason = state.invalid > 0 && invalidReason !== undefined ? [`client: ${invalidReason}`] : [];
  return `${verdictWord({ verdict, leaning: state.leaning })} (${[...figures, ...reason].join(', ')})`;
}

/** Explains the question mark of a verdict. */
export const UNCLEAR_NOTE = 'with a question mark: by the point estimate, the interval does not decide';

/** The verdict of a level. A level far from the edge is not measured until its intervals decide. */
export function verdictWord({ verdict, leaning }: Pick<SweepPoint, 'verdict' | 'leaning'>): string {
  switch (verdict) {
    case 'met':
      return 'met';
    case 'broken':
      return 'not met';
    case 'unclear':
      return leaning === 'met' ? 'met?' : 'not met?';
    case 'client':
      return 'client';
    default:
      return verdict satisfies never;
  }
}
