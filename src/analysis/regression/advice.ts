import type { AcceptedRun } from '../../model/accepted-run.ts';
import type { SummaryDecision } from './gate.ts';
import { detectableWith, timesFor } from './planning.ts';
import { changeInWords } from './sentences.ts';
import type { PreparedCheck } from './series.ts';

/** What the gate can detect, in words: `5 x 40 requests detect +22 % on ttft.p50 in 4 of 5 runs; 5 x 190 would detect +15 %`. */

/** Changes that a person asks for, relative. */
const TARGETS = [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1];
/** A target is advised only where it is this much smaller than what is found now. */
const WORTHWHILE = 0.9;

/** Advice on the most important check of the family; undefined where it is a share or has no data. */
export function adviceOf(
  prepared: readonly PreparedCheck[],
  decisions: readonly SummaryDecision[],
  next: Pick<AcceptedRun, 'manifest' | 'cells'>,
): string | undefined {
  const index = prepared.findIndex(({ summary }) => summary !== undefined);
  const { check, summary } = prepared[index] ?? {};
  const level = decisions[0]?.level;
  if (check === undefined || summary === undefined || level === undefined) return undefined;
  if (check.unit === 'ratio') return undefined;
  const { rounds } = next.manifest.run;
  const perRound = Math.max(1, Math.round((next.cells[0]?.requests ?? 0) / rounds));
  const planned = { series: summary.series, tolerance: summary.tolerance, level };
  const now = Math.expm1(detectableWith(planned, 1));
  const inWords = (change: number) =>
    changeInWords(check, check.better === 'lower' ? change : 1 / (1 + change) - 1);
  const found = `${rounds} x ${perRound} requests detect ${inWords(now)} on ${check.figure} in 4 of 5 runs`;
  for (const target of TARGETS.filter((one) => one <= now * WORTHWHILE && one > check.tolerance)) {
    const times = timesFor(planned, Math.log1p(target));
    if (times === null || times <= 1) continue;
    return `${found}; ${rounds} x ${roundUp(perRound * times)} would detect ${inWords(target)}`;
  }
  return `${found}; more requests would not detect much less, because runs differ among themselves`;
}

/** Up to two digits: 188 is 190. */
function roundUp(count: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return Math.ceil(count / step) * step;
}
