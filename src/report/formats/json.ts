import type { Report } from '../../model/report.ts';
import { visibleJson } from '../../model/visible.ts';

const REPORT_KEYS = [
  'schema',
  'run',
  'environment',
  'scenario',
  'conclusion',
  'sweep',
  'cells',
  'pairedComparisons',
  'objectives',
  'gates',
  'baseline',
  'ab',
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
  'trace',
  'unique',
  'resumed',
  'unwritten',
];

/**
 * The report as one indented JSON document with a final line feed. The same report gives the same bytes. A list of numbers,
 * which can have 20,000 items, is written on one line.
 */
export function jsonReport(report: Report): string {
  const document = ordered({ ...report, run: ordered(report.run, RUN_KEYS) }, REPORT_KEYS);
  // A line feed inside a JSON string is escaped, so an unescaped one is always between values.
  const text = JSON.stringify(document, null, 2).replaceAll(/\[\n[\d\s.,eE+-]+\]/g, (list) =>
    list.replaceAll(/\s+/g, ''),
  );
  return `${visibleJson(text)}\n`;
}

// Known keys come first, in the listed order.
function ordered<T extends object>(object: T, keys: readonly string[]): T {
  const entries = Object.entries(object);
  const place = (key: string) => (keys.includes(key) ? keys.indexOf(key) : keys.length);
  return Object.fromEntries(entries.sort(([a], [b]) => place(a) - place(b))) as T;
}
