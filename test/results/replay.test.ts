import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregate.ts';
import { buildReport } from '../../src/report/build.ts';
import { REPORTERS } from '../../src/report/formats/index.ts';
import { terminalReport } from '../../src/report/terminal/terminal.ts';
import { createJournal } from '../../src/results/journal.ts';
import { readRun } from '../../src/results/read-run.ts';
import { roundRecord } from '../../src/results/round-record.ts';
import { sampleRun } from '../report/sample.ts';

test('a report made live equals the one made again from the records', async () => {
  const root = await mkdtemp(join(tmpdir(), 'streambench-replay-'));
  try {
    const folder = join(root, 'run');
    const { manifest, records } = sampleRun({ targets: ['flash', 'glm-4.6'] });
    const { endedAt: _, ...begun } = manifest.run;
    const journal = await createJournal(folder, { ...manifest, run: begun });
    const live = createAggregator(manifest);
    for (const one of records) {
      const rounded = roundRecord(one);
      live.add(rounded);
      journal.append(rounded);
    }
    const report = buildReport(manifest, live.cells());
    await journal.finish(manifest, REPORTERS.json(report));

    const stored = await readRun(folder);
    const again = createAggregator(stored.manifest);
    for await (const batch of stored.batches) for (const one of batch) again.add(one);
    const replayed = buildReport(stored.manifest, again.cells());

    for (const format of Object.values(REPORTERS)) expect(format(replayed)).toBe(format(report));
    const terminal = { width: 120, color: 0 } as const;
    expect(terminalReport(replayed, terminal)).toBe(terminalReport(report, terminal));
    expect(await readFile(join(folder, 'report.json'), 'utf8')).toBe(REPORTERS.json(replayed));
    // The law would hold for two empty reports too.
    expect(report.cells[0]!.metrics.ttft!.n).toBe(38);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
