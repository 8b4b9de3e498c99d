import type { ConclusionLine } from '../../model/conclusion.ts';
import { DASH, formatCount, formatFactor, formatShare } from '../../model/format.ts';
import { type CostReport, formatMoney } from '../../model/price.ts';
import type { Side, Sides } from './sides.ts';

interface SideCost {
  name: string;
  currency: string;
  perThousandAnswers: number;
}

/** What 1,000 answers cost on each side; no line where no cost is known. */
export function costLines({ sides }: Sides): ConclusionLine[] {
  const costs = sides.map(costOfSide);
  const known = costs.filter((cost) => cost !== undefined);
  if (known.length === 0) return [];
  const reports = sides.flatMap((side) => reportsOf(side));
  return [
    {
      topic: 'cost',
      label: 'cost per 1,000',
      values: costs.map((cost) =>
        cost === undefined ? DASH : formatMoney(cost.perThousandAnswers, cost.currency),
      ),
      text: [compared(known) ?? perRequest(reports), missing(reports)]
        .filter((part) => part !== undefined)
        .join('; '),
      outcome: 'neutral',
    },
  ];
}

function reportsOf({ cells }: Side): CostReport[] {
  return cells.flatMap(({ cost }) => cost ?? []);
}

function costOfSide(side: Side): SideCost | undefined {
  const reports = reportsOf(side);
  const [first] = reports;
  const answers = reports.reduce((sum, report) => sum + report.answers, 0);
  if (first === undefined || answers === 0) return undefined;
  // Targets with other currencies cannot be added up.
  if (reports.some(({ currency }) => currency !== first.currency)) return undefined;
  const total = reports.reduce((sum, report) => sum + report.total, 0);
  return { name: side.name, currency: first.currency, perThousandAnswers: (1000 * total) / answers };
}

/** Which side costs less. Costs follow from token counts: there is no interval. */
function compared(costs: readonly SideCost[]): string | undefined {
  const [cheapest, next] = [...costs].sort((a, b) => a.perThousandAnswers - b.perThousandAnswers);
  if (cheapest === undefined || next === undefined || cheapest.perThousandAnswers === 0) return undefined;
  if (costs.some(({ currency }) => currency !== cheapest.currency)) return undefined;
  const factor = next.perThousandAnswers / cheapest.perThousandAnswers;
  if (factor < 1.05) return 'answers';
  const than = costs.length > 2 ? ` than ${next.name}` : '';
  return `answers; ${cheapest.name} ${formatFactor(factor)} cheaper${than}`;
}

function perRequest(reports: readonly CostReport[]): string {
  const [only] = reports;
  return reports.length === 1 && only !== undefined
    ? `answers; ${formatMoney(only.perRequest, only.currency)} per request`
    : 'answers';
}

function missing(reports: readonly CostReport[]): string | undefined {
  const unknown = reports.reduce((sum, report) => sum + report.unknown, 0);
  if (unknown === 0) return undefined;
  const answers = reports.reduce((sum, report) => sum + report.answers, unknown);
  return `without ${formatCount(unknown)} answers (${formatShare(unknown / answers)}) of unknown token counts`;
}
