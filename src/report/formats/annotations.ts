import { formatCount } from '../../model/format.ts';
import type { Report } from '../../model/report.ts';
import { visible } from '../../model/visible.ts';
import { oneLine } from '../text-width.ts';
import { baselineLines, baselineProblem, baselineSentences } from '../wording/baseline.ts';
import { cacheWarnings } from '../wording/cache.ts';
import { groupFailures } from '../wording/failures.ts';
import { reachedLines } from '../wording/load.ts';
import { failureLine, looksAtFailures, runProblems, summaryLine } from '../wording/summary.ts';
import { clientLines, gateLines, pairedSentences, streamFindings } from '../wording/verdicts.ts';

// GitHub shows ten of each kind for a step and drops the others without a word.
const MOST_OF_A_KIND = 10;

interface Annotation {
  title: string;
  lines: readonly string[];
}

/**
 * Workflow commands that GitHub turns into annotations of the run: an error for each gate that did not pass, a warning
 * for what else went wrong, and a notice with the result. At most ten of each, the last of which then says how many
 * there are more.
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
      title: kind === 'incomplete' ? 'the run is not whole' : 'no answer',
      lines: [sentence],
    })),
    ...gateLines(report)
      .filter(({ verdict }) => verdict !== 'pass')
      .map(({ verdict, expression, detail }) => ({
        title: `gate ${verdict === 'fail' ? 'failed' : 'without data'}: ${expression}`,
        lines: [detail],
      })),
    ...baselineErrors(report),
  ];
}

function baselineErrors(report: Report): Annotation[] {
  const trouble = baselineProblem(report);
  return [
    ...baselineLines(report)
      .filter(({ outcome }) => outcome === 'fail')
      .map(({ word, figure, where, sentence }) => ({
        title: `${word} against the baseline: ${figure}`,
        lines: [sentence, where],
      })),
    ...(trouble ? [{ title: 'the baseline decides nothing', lines: [trouble.sentence] }] : []),
  ];
}

function warnings(report: Report): Annotation[] {
  const failed = looksAtFailures(report) ? undefined : failureLine(report);
  return [
    ...(failed ? [{ title: 'failures that no threshold looks at', lines: [failed] }] : []),
    ...streamFindings(report)
      .filter(({ verdict }) => verdict !== 'inconclusive')
      .map(({ verdict, evidence, where, causes }) => ({
        title: `${verdict}, not streaming`,
        lines: [evidence, ...causes, where],
      })),
    ...cacheWarnings(report).map((line) => ({ title: 'answered from a cache', lines: [line] })),
    ...groupFailures(report.cells).map(({ what, count, hint, where }) => ({
      title: `${formatCount(count)} ${count === 1 ? 'request' : 'requests'} failed`,
      lines: [what, ...(hint ? [hint] : []), ...where],
    })),
    ...(report.baseline?.verdict === 'inconclusive' && !report.baseline.strict
      ? baselineSentences(report).map((line) => ({ title: 'inconclusive', lines: [line] }))
      : []),
    ...reachedLines(report).map((line) => ({ title: 'the load was not reached', lines: [line] })),
    ...(report.cells.some(({ client }) => client && client.verdict !== 'ok')
      ? clientLines(report).map((line) => ({ title: 'the client could not keep up', lines: [line] }))
      : []),
  ];
}

function notices(report: Report): Annotation[] {
  return [
    { title: 'result', lines: [summaryLine(report)] },
    ...pairedSentences(report).map((line) => ({ title: 'in short', lines: [line] })),
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

/** The text of a command: what would end it is written as a percent sequence. */
function data(text: string): string {
  return visible(text).replaceAll('%', '%25').replaceAll('\n', '%0A');
}

/** A property of a command, in which colons and commas mean something too. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
