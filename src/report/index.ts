import type { Report } from '../model/report.ts';
import { csvReport } from './csv.ts';
import { jsonReport } from './json.ts';
import { markdownReport } from './markdown.ts';

/** The formats that need nothing but the report, by name. The terminal's takes a width and colours: `terminal.ts`. */
export const REPORTERS = {
  json: jsonReport,
  markdown: markdownReport,
  csv: csvReport,
} as const satisfies Record<string, (report: Report) => string>;

/** Name of such a format. */
export type ReporterName = keyof typeof REPORTERS;
