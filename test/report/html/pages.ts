import { createReportBuilder } from '../../../src/bench/run/report-builder.ts';
import { htmlReport } from '../../../src/report/html/run-page.ts';
import { collectTraffic } from '../../../src/report/html/traffic.ts';
import { sampleRun } from '../sample.ts';

/** Text that ends an element, a comment or a string where it is not escaped. */
const EVIL = `</script><script>document.title='owned'</script><!--"'><img src=x onerror=document.title='owned'>`;

/** The page of a synthetic run of two targets, one of whose prompts always fails. `hostile`: with `EVIL` in every name and message. */
export function samplePage({ hostile = false }: { hostile?: boolean } = {}): string {
  const evil = hostile ? EVIL : '';
  const { manifest, records } = sampleRun({
    targets: [`flash${evil}`, 'big'],
    prompts: [`short${evil}`, 'broken'],
    concurrency: [4],
  });
  if (hostile) manifest.scenario = { ...manifest.scenario, name: EVIL, description: EVIL };
  const builder = createReportBuilder(manifest);
  const traffic = collectTraffic(manifest);
  for (const record of records) {
    if (hostile && record.outcome.kind !== 'ok')
      record.outcome = { ...record.outcome, message: EVIL, body: EVIL, hint: EVIL };
    builder.add(record);
    traffic.add(record);
  }
  return htmlReport(builder.report(manifest), {
    traffic,
    stallMs: manifest.stallMs,
    loads: manifest.loads ?? [],
  });
}
