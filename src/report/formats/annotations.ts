import { formatCount } from '../../model/format.ts';
import type { Report } from '../../model/report.ts';
import { visible } from '../../model/visible.ts';
import { oneLine } from '../text-width.ts';
import { abLines, abProblem, abSentences } from '../wording/ab.ts';
import { baselineLines, baselineProblem, baselineSentences } from '../wording/baseline.ts';
import { cacheWarnings } from '../wording/cache.ts';
import { groupFailures } from '../wording/failures.ts';
import { ANNOTATIONS } from '../wording/headings.ts';
import { reachedLines } from '../wording/load.ts';
import { checksFailures, failureLine, runProblems, summaryLine } from '../wording/summary.ts';
import { clientLines, pairedSentences, streamFindings, thresholdLines } from '../wording/verdicts.ts';

// GitHub shows ten annotations of each kind per step and silently drops the others.
const MOST_OF_A_KIND = 10;

interface Annotation {
  title: string;
  lines: readonly string[];
}

/**
 * Workflow commands that GitHub shows as annotations: an error for each failed gate, a warning for each other problem, and a
 * notice with the result. At most ten of each kind; if there are more, the last one gives their number.
 */
export function annotationsReport(report: Report): string {
  const scenario = oneLine(report.scenario.name);
  const commands = [
    ...limited('error', errors(report)),
    ...limited('warning', warnings(report)),
    ...limited('notice', notices(report)),
  ];
  return commands
    .map(({ kind, title, lines }) => {
      const name = scenario === '' ? title : `${scenario}: ${title}`;
      return `::${kind} title=${property(name)}::${data(lines.join('\n'))}\n`;
    })
    .join('');
}

function errors(report: Report): Annotation[] {
  return [
    ...runProblems(report).map(({ kind, sentence }) => ({
      title: ANNOTATIONS[kind],
      lines: [sentence],
    })),
    ...thresholdLines(report)
      .filter(({ verdict }) => verdict !== 'pass')
      .map(({ verdict, expression, detail }) => ({
        title: `threshold ${verdict === 'fail' ? 'failed' : 'without data'}: ${expression}`,
        lines: [detail],
      })),
    ...abErrors(report),
    ...baselineErrors(report),
  ];
}

function abErrors(report: Report): Annotation[] {
  const problem = abProblem(report);
  return [
    ...abLines(report)
      .filter(({ outcome }) => outcome === 'fail')
      .map(({ figure, sentence }) => ({ title: `regression of B against A: ${figure}`, lines: [sentence] })),
    ...(problem ? [{ title: 'B against A is inconclusive', lines: [problem] }] : []),
  ];
}

function baselineErrors(report: Report): Annotation[] {
  const problem = baselineProblem(report);
  return [
    ...baselineLines(report)
      .filter(({ outcome }) => outcome === 'fail')
      .map(({ word, figure, where, sentence }) => ({
        title: `regression check: ${figure}: ${word}`,
        lines: [sentence, where],
      })),
    ...(problem ? [{ title: ANNOTATIONS.baseline, lines: [problem.sentence] }] : []),
  ];
}

function warnings(report: Report): Annotation[] {
  const failed = checksFailures(report) ? undefined : failureLine(report);
  return [
    ...(failed ? [{ title: ANNOTATIONS.unchecked, lines: [failed] }] : []),
    ...streamFindings(report)
      .filter(({ verdict }) => verdict !== 'inconclusive')
      .map(({ verdict, evidence, where, causes }) => ({
        title: `streaming verdict: ${verdict}`,
        lines: [evidence, ...causes, where],
      })),
    ...cacheWarnings(report).map((line) => ({ title: ANNOTATIONS.cache, lines: [line] })),
    ...groupFailures(report.cells).map(({ what, count, hint, where }) => ({
      title: `${formatCount(count)} ${count === 1 ? 'request' : 'requests'} failed`,
      lines: [what, ...(hint ? [hint] : []), ...where],
    })),
    ...(report.ab?.verdict === 'inconclusive' && !report.ab.strict
      ? [{ title: 'B against A is inconclusive', lines: abSentences(report) }]
      : []),
    ...(report.baseline?.verdict === 'inconclusive' && !report.baseline.strict
      ? baselineSentences(report).map((line) => ({ title: ANNOTATIONS.inconclusive, lines: [line] }))
      : []),
    ...reachedLines(report).map((line) => ({ title: ANNOTATIONS.load, lines: [line] })),
    ...(report.cells.some(({ client }) => client && client.verdict !== 'ok')
      ? clientLines(report).map((line) => ({ title: ANNOTATIONS.client, lines: [line] }))
      : []),
  ];
}

function notices(report: Report): Annotation[] {
  return [
    { title: ANNOTATIONS.result, lines: [summaryLine(report)] },
    ...pairedSentences(report).map((line) => ({ title: ANNOTATIONS.comparison, lines: [line] })),
  ];
}

function limited(kind: 'error' | 'warning' | 'notice', all: readonly Annotation[]) {
  const shown =
    all.length <= MOST_OF_A_KIND
      ? all
      : [
          ...all.slice(0, MOST_OF_A_KIND - 1),
          {
            title: `and ${all.length - MOST_OF_A_KIND + 1} more`,
            lines: all.slice(MOST_OF_A_KIND - 1, 3 * MOST_OF_A_KIND).map(({ title }) => title),
          },
        ];
  return shown.map((annotation) => ({ kind, ...annotation }));
}

/** The text of a command, with percent and line feed encoded. */
function data(text: string): string {
  return visible(text).replaceAll('%', '%25').replaceAll('\n', '%0A');
}

/** A property of a command, with colon and comma encoded as well. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
