import { createAggregator } from '../../src/metrics/aggregate.ts';
import type { Mode, RequestRecord } from '../../src/model/record.ts';
import type { Manifest, Report } from '../../src/model/report.ts';
import { buildReport } from '../../src/report/build.ts';
import { manifest, record, seeded, wholeRecord } from '../metrics/records.ts';

/** What the sample run is made of. */
export interface SampleOptions {
  targets?: readonly string[];
  prompts?: readonly string[];
  concurrency?: readonly number[];
  modes?: readonly Mode[];
  requests?: number;
}

const FAILURE: RequestRecord['outcome'] = {
  kind: 'http_error',
  status: 500,
  message: 'the service answered 500 Internal Server Error',
  body: '{"error":\n  "out of \u001b[31mmemory\u0007"}\n\nsecond\nthird\nfourth',
  hint: 'the service is at its limit; try fewer streams at once',
};

/** A synthetic run, the same every time: its manifest and its records. Prompt `broken` never works. */
export function sampleRun(options: SampleOptions = {}): { manifest: Manifest; records: RequestRecord[] } {
  const { targets = ['flash'], prompts = ['short', '请介绍机器学习', 'broken'], requests = 40 } = options;
  const { concurrency = [1, 16], modes = ['streaming', 'non-streaming'] } = options;
  const random = seeded(7);
  const cells = targets.flatMap((target) =>
    prompts.flatMap((prompt) =>
      concurrency.flatMap((streams) => modes.map((mode) => ({ target, prompt, concurrency: streams, mode }))),
    ),
  );
  const records: RequestRecord[] = [];
  for (const [index, cell] of cells.entries()) {
    // A closed loop in two rounds: each slot sends its next request when the one before has ended.
    const slots = [0, 1].map((round) =>
      Array.from({ length: cell.concurrency }, () => (2 * index + round) * 500_000),
    );
    for (let i = 0; i < requests; i++) {
      const round = slots[i % 2]!;
      const slot = round.indexOf(Math.min(...round));
      const started = round[slot]!;
      const sent = started + random();
      const firstMs = 150 + random() * 100 * (cell.concurrency > 1 ? 2 : 1);
      const gaps = Array.from({ length: 30 }, () => 15 + random() * 20);
      const span = gaps.reduce((sum, gap) => sum + gap, 0);
      const end = sent + firstMs + span;
      round[slot] = end + 1;
      const streaming = cell.mode === 'streaming';
      const first = streaming ? sent + firstMs : end;
      records.push({
        ...(streaming ? record({ gaps, contentEvents: 31, secondTokenGap: gaps[0]! }) : wholeRecord()),
        ...cell,
        seq: records.length,
        round: i % 2,
        marks: {
          scheduled: started,
          started,
          sent,
          headers: streaming ? first - 20 : end,
          firstByte: first,
          firstToken: first,
          firstAnswer: first,
          lastToken: end,
          end: end + 1,
        },
        tokens: { output: 62, source: 'usage', first: 2 },
        outcome: cell.prompt === 'broken' || (i % 20 === 19 && streaming) ? FAILURE : { kind: 'ok' },
      });
    }
  }
  return { manifest: manifest({ cells }), records };
}

/** The report of such a run. */
export function sampleReport(options: SampleOptions = {}): Report {
  const run = sampleRun(options);
  const aggregator = createAggregator(run.manifest);
  for (const one of run.records) aggregator.add(one);
  return buildReport(run.manifest, aggregator.cells());
}
