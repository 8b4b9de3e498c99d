import type { Report } from '../../model/report.ts';
import { visibleJson } from '../../model/visible.ts';

const REPORT_KEYS = [
  'schema',
  'run',
  'environment',
  'scenario',
  'cells',
  'pairedComparisons',
  'objectives',
  'gates',
  'baseline',
  'floor',
];
const RUN_KEYS = [
  'id',
  'startedAt',
  'endedAt',
  'durationMs',
  'aborted',
  'abortReason',
  'seed',
  'planned',
  'rounds',
  'unique',
  'resumed',
  'unwritten',
];

/**
 * The report as one JSON document, indented, with a line feed at its end. The same report gives the same bytes;
 * lists of numbers stay on one line, as there can be 20,000 in each.
 */
export function jsonReport(report: Report): string {
  const document = ordered({ ...report, run: ordered(report.run, RUN_KEYS) }, REPORT_KEYS);
  // A line feed inside a JSON string is written as \n, so a real one stands only between values.
  const text = JSON.stringify(document, null, 2).replaceAll(/\[\n[\d\s.,eE+-]+\]/g, (list) =>
    list.replaceAll(/\s+/g, ''),
  );
  return `${visibleJson(text)}\n`;
}

// Keys we know come first and in our order, whatever object they were read into on the way here.
function ordered<T extends object>(object: T, keys: readonly string[]): T {
  const entries = Object.entries(object);
  const place = (key: string) => (keys.includes(key) ? keys.indexOf(key) : keys.length);
  return Object.fromEntries(entries.sort(([a], [b]) => place(a) - place(b))) as T;
}
