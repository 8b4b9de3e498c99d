import { htmlReport } from '../../report/html/run-page.ts';
import { collectTraffic } from '../../report/html/traffic.ts';
import { readRun, readWarnings } from '../../results/read-run.ts';
import { createReportBuilder, type RebuiltReport } from './report-builder.ts';

/**
 * A stored run as one HTML page, with its report. The page shows single requests, so it is made from the records, in one pass. Rejects
 * like `reportRun`.
 */
export async function htmlRun(folder: string): Promise<RebuiltReport & { html: string }> {
  const stored = await readRun(folder);
  const { manifest } = stored;
  const builder = createReportBuilder(manifest);
  const traffic = collectTraffic(manifest);
  for await (const batch of stored.batches)
    for (const record of batch) {
      builder.add(record);
      traffic.add(record);
    }
  const report = builder.report(manifest);
  const { stallMs, loads = [] } = manifest;
  const html = htmlReport(report, { traffic, stallMs, loads });
  return { report, html, warnings: readWarnings(stored, folder) };
}
