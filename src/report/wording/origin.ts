import { METRICS } from '../../metrics/definitions.ts';
import { originInWords } from '../../model/origin.ts';
import type { Report } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';

// What the tables and the conclusion show. The manifest has the definitions of all metrics.
const MAIN_METRICS: ReadonlySet<string> = new Set(['ttft', 'gap', 'tpot', 'total']);

/** Which tool measured an imported run, and how it defines the main figures. Empty for a run of streambench. */
export function originLines({ origin, cells }: Pick<Report, 'origin' | 'cells'>): string[] {
  if (origin === undefined) return [];
  const definitions = METRICS.flatMap(({ name, title }) => {
    const definition = origin.definitions[name];
    const isShown = MAIN_METRICS.has(name) && cells.some(({ metrics }) => metrics[name] != null);
    if (definition === undefined || !isShown) return [];
    return [`${title} as ${oneLine(origin.tool)} measures it: ${oneLine(definition)}.`];
  });
  const files = origin.files.map(oneLine).join(', ');
  return [`Measured by ${oneLine(originInWords(origin))}, imported from ${files}.`, ...definitions];
}

/** What the files of the tool do not hold. */
export function originNotes({ origin }: Pick<Report, 'origin'>): string[] {
  return origin === undefined ? [] : origin.notes.map(oneLine);
}
