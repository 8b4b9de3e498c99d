import { failuresOfAll, quantileOf } from '../../analysis/quantities.ts';
import { enoughFor } from '../../analysis/statistics/significance.ts';
import { nameOfVerdict } from '../../analysis/streaming/streaming-verdict.ts';
import type { Conclusion, ConclusionLine } from '../../model/conclusion.ts';
import { DASH, formatCount } from '../../model/format.ts';
import type { Report } from '../../model/report.ts';
import type { SweepReport } from '../../model/sweep.ts';
import { oneLine } from '../text-width.ts';
import { groupFailures } from '../wording/failures.ts';
import { cellName, incompleteness, requestsOf } from '../wording/notes.ts';
import { checksFailures, thresholdWords, unanswered } from '../wording/summary.ts';
import { type StreamFinding, streamFindings, thresholdLines } from '../wording/verdicts.ts';
import { costLines } from './cost.ts';
import { figureLines } from './figures.ts';
import { type Side, type Sides, sidesOf } from './sides.ts';
import { sweepLines } from './sweep.ts';

/** Lines of a conclusion, with its header. */
const MAX_LINES = 8;

/** The conclusion of a run, from the rest of its report. */
export function conclude(report: Report): Conclusion {
  if (report.sweep !== undefined) return concludeSweep(report, report.sweep);
  const sides = sidesOf(report.cells);
  const figures = figureLines(report, sides);
  const before = [...incompleteLines(report), ...changeLines(report)];
  const after = [
    ...costLines(sides),
    ...requestLines(report, sides),
    ...streamLines(report, sides),
    ...gateLines(report),
    ...clientLines(report),
    ...unsureLines(report, new Set(figures.flatMap(({ figure }) => figure?.metric ?? []))),
  ];
  const header = sides.sides.length > 1 ? 1 : 0;
  const room = Math.max(1, MAX_LINES - header - before.length - after.length);
  return {
    sides: sides.sides.map(({ name }) => name),
    lines: [...before, ...mostImportant(figures, room), ...after].slice(0, MAX_LINES - header),
  };
}

/** Failures and figures of a sweep are mostly those of levels that break its objectives. */
function concludeSweep(report: Report, sweep: SweepReport): Conclusion {
  const { sides, lines } = sweepLines(sweep);
  return { sides, lines: [...incompleteLines(report), ...lines, ...gateLines(report)] };
}

/** The lines that fit, in their order: those of the highest load level first, then the first tokens. */
function mostImportant(lines: readonly ConclusionLine[], room: number): ConclusionLine[] {
  const highest = lines.at(-1)?.figure?.level;
  const rank = ({ figure }: ConclusionLine) =>
    (figure?.level === highest ? 0 : 2) + (figure?.metric === 'total' ? 1 : 0);
  const kept = new Set([...lines].sort((a, b) => rank(a) - rank(b)).slice(0, room));
  return lines.filter((line) => kept.has(line));
}

function incompleteLines(report: Report): ConclusionLine[] {
  const missing = incompleteness(report);
  return missing === undefined ? [] : [sentence('incomplete', 'run', missing, 'bad')];
}

function sentence(
  topic: ConclusionLine['topic'],
  label: string,
  text: string,
  outcome: ConclusionLine['outcome'],
): ConclusionLine {
  return { topic, label, values: [], text, outcome };
}

function requestLines(report: Report, { sides }: Sides): ConclusionLine[] {
  const counts = sides.map(({ all }) => failuresOfAll(all));
  // Load levels and prompts that are not shown as a side count as well.
  const total = failuresOfAll(report.cells);
  const label = 'failed';
  const values = counts.map(({ failed, requests }) => `${formatCount(failed)}/${formatCount(requests)}`);
  if (total.failed === 0) return [{ topic: 'requests', label, values, text: '', outcome: 'good' }];
  const [worst, ...others] = groupFailures(report.cells);
  const more =
    others.length === 0 ? '' : ` and ${others.length} other ${others.length === 1 ? 'kind' : 'kinds'}`;
  const unchecked =
    report.origin !== undefined || checksFailures(report) || unanswered(report).length > 0
      ? ''
      : '; no threshold checks this: add "errors.rate < 1%"';
  const shown = counts.reduce((all, { failed }) => all + failed, 0);
  const elsewhere = shown === total.failed ? '' : `${formatCount(total.failed)} in all cells: `;
  return [
    {
      topic: 'requests',
      label,
      values,
      text: `${elsewhere}${worst === undefined ? '' : worst.what}${more}${unchecked}`,
      outcome: 'bad',
    },
  ];
}

/** Whether the answers stream. The cause is that of the worst cell. */
function streamLines(report: Report, { sides }: Sides): ConclusionLine[] {
  const judged = report.cells.filter(({ streaming, outcomes }) => streaming && (outcomes.ok ?? 0) > 0);
  if (judged.length === 0) return [];
  const findings = streamFindings(report);
  const [worst] = findings;
  const outcome = worst === undefined ? 'good' : worst.verdict === 'inconclusive' ? 'unknown' : 'bad';
  return [
    {
      topic: 'streams',
      label: 'stream',
      values: sides.map(verdictWord),
      text: worst === undefined ? '' : streamText(worst, findings.length, judged.length),
      outcome,
    },
  ];
}

/** The evidence of the worst verdict; of an inconclusive one only what would decide it, because the details have the rest. */
function streamText({ verdict, where, evidence }: StreamFinding, found: number, judged: number): string {
  if (verdict !== 'inconclusive') return judged === 1 ? evidence : `${where}: ${evidence}`;
  const [remedy] = /\b(?:measure|request) [^;]*$/.exec(evidence) ?? [];
  const cells = judged === 1 ? '' : `${formatCount(found)} of ${formatCount(judged)} cells `;
  return `${cells}not decided${remedy === undefined ? '' : `: ${remedy}`}`;
}

function verdictWord({ cells }: Side): string {
  const words = cells.flatMap(({ streaming, outcomes }) =>
    streaming && (outcomes.ok ?? 0) > 0 ? nameOfVerdict(streaming.verdict) : [],
  );
  const [first] = words;
  if (first === undefined) return DASH;
  if (words.every((word) => word === first)) return first;
  return `${words.filter((word) => word === 'streaming').length}/${words.length} stream`;
}

/** What changed against the other build or the baseline. */
function changeLines({ baseline, ab }: Report): ConclusionLine[] {
  const lines: ConclusionLine[] = [];
  if (ab !== undefined)
    lines.push(sentence('gates', 'B against A', oneLine(ab.sentence), outcomeOfComparison(ab.verdict)));
  if (baseline !== undefined) {
    const text = `against ${oneLine(baseline.name)}: ${oneLine(baseline.sentence)}`;
    lines.push(sentence('gates', 'regression', text, outcomeOfComparison(baseline.verdict)));
  }
  return lines;
}

function gateLines(report: Report): ConclusionLine[] {
  const [worst] = thresholdLines(report);
  if (worst === undefined) return [];
  const failed = worst.verdict === 'pass' ? '' : `: ${worst.expression} is ${worst.detail}`;
  const text = `${thresholdWords(report).join()}${failed}`;
  return [sentence('gates', 'thresholds', text, failed === '' ? 'good' : 'bad')];
}

type Verdict = NonNullable<Report['baseline'] | Report['ab']>['verdict'];

/** How a line about the verdict of a comparison is marked. */
export function outcomeOfComparison(verdict: Verdict): ConclusionLine['outcome'] {
  switch (verdict) {
    case 'regression':
    case 'not_comparable':
      return 'bad';
    case 'inconclusive':
      return 'unknown';
    case 'improvement':
    case 'equivalent':
    case 'unchanged':
      return 'good';
    default:
      return verdict satisfies never;
  }
}

function clientLines({ cells }: Report): ConclusionLine[] {
  const late = cells.filter(
    ({ client, outcomes }) => client?.verdict === 'saturated' && (outcomes.ok ?? 0) > 0,
  );
  const [first] = late;
  if (first === undefined) return [];
  const where = late.length === 1 ? cellName(first) : `${late.length} of ${cells.length} cells`;
  return [
    sentence(
      'client',
      'client',
      `saturated in ${where}: these figures include the client's own lateness`,
      'bad',
    ),
  ];
}

/** What to do about comparisons that did not decide. */
function unsureLines(
  { pairedComparisons, cells, ab, baseline }: Report,
  shown: ReadonlySet<string>,
): ConclusionLine[] {
  if (ab !== undefined || baseline !== undefined) return [];
  const open = pairedComparisons.flatMap(({ rows }) =>
    rows.filter(
      ({ verdict, prompt, factor, metric }) =>
        verdict === 'inconclusive' && prompt === null && factor !== null && shown.has(metric),
    ),
  );
  if (open.length === 0) return [];
  const most = Math.max(...cells.map(requestsOf));
  const times = Math.max(
    ...open.map(({ n, statistic }) => {
      const needed = enoughFor(quantileOf(statistic) ?? 0.5);
      // The width of an interval falls with the root of the number of requests: four times as many halve it.
      return n > 0 && n < needed ? needed / n : 4;
    }),
  );
  const figures = [...new Set(open.map(({ metric }) => metric))].join(', ');
  return [
    sentence('next', 'unsure', `${figures}: run it again with -n ${Math.ceil(most * times)}`, 'unknown'),
  ];
}
