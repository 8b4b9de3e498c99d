import { DASH } from '../../model/format.ts';
import type { CellReport, Report } from '../../model/report.ts';
import { visible } from '../../model/visible.ts';
import { oneLine } from '../text-width.ts';
import { type AbLine, abLines, abProblem, abSentences } from '../wording/ab.ts';
import { type BaselineLine, baselineLines, baselineProblem, baselineSentences } from '../wording/baseline.ts';
import { groupFailures } from '../wording/failures.ts';
import { CASES } from '../wording/headings.ts';
import { cutLines, reachedLines } from '../wording/load.ts';
import { absence, cellName, durationOf, machineLine, runLine } from '../wording/notes.ts';
import { runProblems, summaryLine } from '../wording/summary.ts';
import { clientLines, pairedSentences, type ThresholdLine, thresholdLines } from '../wording/verdicts.ts';

/**
 * JUnit XML for Jenkins, GitLab and Ant: one suite for the scenario, with a case for each threshold. Without thresholds
 * there is a case for each cell, which fails if no request succeeded. Each figure of the regression check is a case,
 * skipped if it is inconclusive. A threshold without data and an incomplete run are errors.
 */
export function junitReport(report: Report): string {
  const { run, scenario } = report;
  const name = oneLine(scenario.name) || 'scenario';
  const cases = casesOf(report);
  const count = (kind: ProblemKind) => cases.filter(({ problem }) => problem?.kind === kind).length;
  const suite = element(
    'testsuite',
    {
      name,
      package: 'streambench',
      id: '0',
      // Ant's schema allows neither a time zone nor fractions here; the time is UTC.
      timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.exec(run.startedAt)?.[0] ?? '1970-01-01T00:00:00',
      hostname: 'localhost',
      tests: String(cases.length),
      failures: String(count('failure')),
      errors: String(count('error')),
      skipped: String(count('skipped')),
      time: seconds(durationOf(run) ?? 0),
    },
    [
      element(
        'properties',
        {},
        Object.entries(properties(report)).map(([key, value]) =>
          element('property', { name: key, value }, []),
        ),
      ),
      ...cases.map((one) => caseElement(one, `streambench.${name.replaceAll('.', '_')}`)),
      element('system-out', {}, [xml(linesOf(report).join('\n'))]),
      element('system-err', {}, []),
    ],
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', {}, [suite])}\n`;
}

interface Case {
  name: string;
  timeMs: number;
  problem?: { kind: ProblemKind; type: string; message: string; detail: readonly string[] };
}

type ProblemKind = 'failure' | 'error' | 'skipped';

function casesOf(report: Report): Case[] {
  const thresholds = thresholdLines(report).map(thresholdCase);
  const compared = [...abCases(report), ...baselineCases(report)];
  const hasNotFailed = ({ problem }: Case) => problem === undefined || problem.kind === 'skipped';
  const general = runProblems(report).filter(
    // Without thresholds, the cases of the cells report missing answers.
    ({ kind }) => thresholds.length > 0 || kind === 'incomplete',
  );
  return [
    ...general.map(({ kind, sentence }) => ({
      name: CASES[kind],
      timeMs: 0,
      problem: { kind: 'error' as const, type: kind, message: sentence, detail: [sentence] },
    })),
    ...compared.filter((one) => !hasNotFailed(one)),
    ...(thresholds.length > 0 ? thresholds : report.cells.map(cellCase)),
    ...compared.filter(hasNotFailed),
  ];
}

function abCases(report: Report): Case[] {
  const problem = abProblem(report);
  const whole: Case[] =
    problem === undefined
      ? []
      : [
          {
            name: 'B against A is decided',
            timeMs: 0,
            problem: { kind: 'failure', type: 'inconclusive', message: problem, detail: [problem] },
          },
        ];
  return [...whole, ...abLines(report).map(abCase)];
}

function abCase({ outcome, verdict, figure, sentence }: AbLine): Case {
  const base = { name: `${figure} of B against A`, timeMs: 0 };
  if (outcome === 'pass') return base;
  const kind = outcome === 'fail' ? 'failure' : 'skipped';
  return { ...base, problem: { kind, type: verdict, message: sentence, detail: [sentence] } };
}

function baselineCases(report: Report): Case[] {
  const problem = baselineProblem(report);
  const whole: Case[] = (problem ? [problem] : []).map(({ kind, sentence }) => ({
    name: CASES.baseline,
    timeMs: 0,
    problem: {
      kind: kind === 'inconclusive' ? 'failure' : 'error',
      type: kind,
      message: sentence,
      detail: [sentence],
    },
  }));
  return [...whole, ...baselineLines(report).map(baselineCase)];
}

function baselineCase({ outcome, verdict, word, figure, where, sentence }: BaselineLine): Case {
  const base = { name: `${figure} ${CASES.baseline}: ${where}`, timeMs: 0 };
  if (outcome === 'pass') return base;
  const kind = outcome === 'fail' ? 'failure' : 'skipped';
  const type = verdict.replace('_', '-');
  return { ...base, problem: { kind, type, message: `${word}: ${sentence}`, detail: [sentence] } };
}

function thresholdCase({ verdict, expression, detail }: ThresholdLine): Case {
  const base = { name: expression, timeMs: 0 };
  const lines = [`threshold: ${expression}`, `measured: ${detail}`];
  switch (verdict) {
    case 'pass':
      return base;
    case 'fail':
      return { ...base, problem: { kind: 'failure', type: 'threshold', message: detail, detail: lines } };
    case 'no-data':
      return { ...base, problem: { kind: 'error', type: 'no-data', message: detail, detail: lines } };
    default:
      return verdict satisfies never;
  }
}

function cellCase(cell: CellReport): Case {
  const base = { name: cellName(cell), timeMs: cell.throughput.roundsMs ?? cell.throughput.windowMs };
  if ((cell.outcomes.ok ?? 0) > 0) return base;
  const [worst] = cell.failures;
  const detail = groupFailures([cell]).flatMap(({ what, count, body, hint }) => [
    `${count} × ${what}`,
    ...body.map((line) => `  | ${line}`),
    ...(hint ? [`  ${hint}`] : []),
  ]);
  // The dash stands for missing figures in a table.
  const message = absence(cell).replace(DASH, '').trim() || 'no data';
  return {
    ...base,
    problem: worst
      ? { kind: 'failure', type: worst.kind, message, detail }
      : { kind: 'error', type: 'no-data', message, detail: [message] },
  };
}

function caseElement({ name, timeMs, problem }: Case, classname: string): string {
  const content =
    problem === undefined
      ? []
      : problem.kind === 'skipped'
        ? [element('skipped', { message: problem.message }, [])]
        : [
            element(problem.kind, { message: problem.message, type: problem.type }, [
              xml(problem.detail.join('\n')),
            ]),
          ];
  return element('testcase', { name, classname, time: seconds(timeMs) }, content);
}

function properties({ run, environment, scenario }: Report): Record<string, string> {
  return {
    'streambench.version': environment.streambench,
    'streambench.run': run.id,
    'streambench.seed': String(run.seed),
    'streambench.scenario.hash': scenario.hash,
    ...(environment.gitCommit ? { 'git.commit': environment.gitCommit } : {}),
  };
}

function linesOf(report: Report): string[] {
  return [
    summaryLine(report),
    ...thresholdLines(report).map(
      ({ verdict, expression, detail }) => `${verdict}: ${expression}: ${detail}`,
    ),
    ...abSentences(report),
    ...baselineSentences(report),
    ...pairedSentences(report),
    ...reachedLines(report),
    ...cutLines(report),
    ...clientLines(report),
    runLine(report),
    machineLine(report),
  ];
}

function seconds(ms: number): string {
  return (Number.isFinite(ms) ? Math.max(0, ms) / 1000 : 0).toFixed(3);
}

// `content` is XML: each element goes on its own line, text stays unchanged.
function element(name: string, attributes: Record<string, string>, content: readonly string[]): string {
  const head = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${xml(value, true)}"`)];
  if (content.length === 0) return `<${head.join(' ')}/>`;
  const isText = content.length === 1 && !content[0]!.startsWith('<');
  const inner = isText ? content[0] : `\n${content.join('\n')}\n`;
  return `<${head.join(' ')}>${inner}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function xml(text: string, attribute = false): string {
  // Characters that XML 1.0 cannot represent are invisible, so visible() has escaped them.
  const clean = visible(text).replaceAll(/[&<>"']/g, (char) => ENTITIES[char]!);
  return attribute ? clean.replaceAll(/[\t\n\r]/g, (char) => `&#${char.charCodeAt(0)};`) : clean;
}
