import { oneLine } from '../text-width.ts';

/** Headings of the report's sections, for the terminal and for markdown. */
export const HEADINGS = {
  comparisons: 'Compared within this run',
  thresholds: 'Thresholds',
  sweep: 'Sweep',
  streamProblems: 'Streaming problems',
  streamsInconclusive: 'Streaming inconclusive',
  cache: 'Prefix cache hits',
  failures: 'Failures',
  machines: 'Machines',
} as const;

/** The heading of the regression check. */
export function baselineHeading({ name }: { name: string }): string {
  return `Regression check against baseline ${oneLine(name)}`;
}

/** Titles of the workflow annotations. */
export const ANNOTATIONS = {
  incomplete: 'run incomplete',
  unanswered: 'no successful request',
  baseline: 'regression check without result',
  unchecked: 'failures not covered by a threshold',
  cache: 'prefix cache hits',
  inconclusive: 'regression check inconclusive',
  load: 'load level not reached',
  client: 'client could not keep up',
  result: 'result',
  comparison: 'comparison',
} as const;

/** Names of the JUnit cases that stand for the run as a whole. */
export const CASES = {
  incomplete: 'run is complete',
  unanswered: 'every target answered',
  baseline: 'regression check',
} as const;

/** What the times in the tables mean. */
export const TIMES_NOTE =
  'Times start when the request was sent and include successful answers only. Rates are medians.';

/** How to get the report in another format. */
export const FORMATS_NOTE = 'Other formats: streambench report FOLDER -f json | markdown | html';
