import type { AbCheck } from '../../model/ab-gate.ts';
import type { Report } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';

/** The gate of B against A in words, for every format alike. */

/** What a figure means for the run: `unknown` is neither a failure nor a pass. */
type AbOutcome = 'fail' | 'unknown' | 'pass';

/** One figure of the gate. */
export interface AbLine {
  outcome: AbOutcome;
  verdict: string;
  /** `ttft.p50`; with the cell where the figure is about one. */
  figure: string;
  sentence: string;
}

/** The figures, failures first. Empty without this gate. */
export function abLines({ ab }: Report): AbLine[] {
  const order = { fail: 0, unknown: 1, pass: 2 };
  const lines = (ab?.checks ?? []).map((check): AbLine => {
    const { figure, verdict, gated, cell, sentence } = check;
    return {
      outcome: outcomeOf(check),
      verdict: gated ? verdict : 'too few requests',
      figure: `${figure}${cell === null ? '' : ` of ${oneLine(cell.prompt)}`}`,
      sentence: oneLine(sentence),
    };
  });
  return lines.sort((a, b) => order[a.outcome] - order[b.outcome]);
}

function outcomeOf({ verdict, gated }: AbCheck): AbOutcome {
  switch (verdict) {
    case 'regression':
      return 'fail';
    case 'inconclusive':
      return 'unknown';
    case 'improvement':
    case 'equivalent':
    case 'unchanged':
      return gated ? 'pass' : 'unknown';
    default:
      return verdict satisfies never;
  }
}

/** The result, why the run stopped, and what limits the result. Empty without this gate. */
export function abSentences({ ab }: Report): string[] {
  if (ab === undefined) return [];
  return [ab.sentence, ...(ab.stop ? [ab.stop.sentence] : []), ...ab.warnings].map(oneLine);
}

/** Why the gate failed where no figure says so: inconclusive with --strict. */
export function abProblem({ ab }: Report): string | undefined {
  return ab?.verdict === 'inconclusive' && ab.strict ? oneLine(ab.sentence) : undefined;
}
