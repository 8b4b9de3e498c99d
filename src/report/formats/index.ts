import type { Report } from '../../model/report.ts';
import { annotationsReport } from './annotations.ts';
import { benchmarkReport } from './benchmark-report.ts';
import { csvReport } from './csv.ts';
import { hgrmReport } from './hgrm.ts';
import { jsonReport } from './json.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';
import type { ReporterName } from './names.ts';
import { prometheusReport } from './prometheus.ts';
import { benchmarkActionReport, bmfReport } from './tracked-figures.ts';

export type { ReporterName } from './names.ts';

/** The formats that only need the report, by name. The terminal report also takes a width and a color level. */
export const REPORTERS = {
  json: jsonReport,
  markdown: markdownReport,
  csv: csvReport,
  junit: junitReport,
  annotations: annotationsReport,
  bmf: bmfReport,
  'benchmark-action': benchmarkActionReport,
  prometheus: prometheusReport,
  hgrm: hgrmReport,
  'benchmark-report': benchmarkReport,
} as const satisfies Record<ReporterName, (report: Report) => string>;
