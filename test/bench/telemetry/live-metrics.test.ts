import { expect, test } from 'vitest';
import { createLiveMetrics } from '../../../src/bench/telemetry/live-metrics.ts';
import { blockCounts, countsMemory } from '../../../src/engine/counts.ts';
import { RUN, sample } from './runs.ts';

/** The series of a metric: its labels, and its value. */
function series(text: string, name: string): Record<string, number> {
  const found = [...text.matchAll(new RegExp(`^streambench_${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))];
  return Object.fromEntries(found.map(([, labels = '', value]) => [labels, Number(value)]));
}

const A = 'scenario="demo",target="a",prompt="p",concurrency="4",mode="streaming"';
const B = 'scenario="demo",target="b",prompt="p",rate="20",mode="streaming"';

test('requests are counted by outcome, and only successful ones are in the histograms', async () => {
  const metrics = createLiveMetrics();
  metrics.runStarted(RUN);
  metrics.samples([sample(), sample(), sample({ outcome: 'truncated', ttftMs: 100 })]);
  metrics.warmedUp(4);
  metrics.utilization([0.25, 0.5]);
  const { body, contentType } = await metrics.text();
  expect(contentType).toContain('text/plain');
  expect(series(body, 'requests_total')).toEqual({
    [`${A},outcome="ok"`]: 2,
    [`${A},outcome="truncated"`]: 1,
    // There from the start, so that a rate can be computed.
    [`${B},outcome="ok"`]: 0,
    [`${B},outcome="dropped"`]: 0,
  });
  expect(series(body, 'time_to_first_token_seconds_count')).toEqual({ [A]: 2 });
  expect(series(body, 'time_to_first_token_seconds_sum')).toEqual({ [A]: 0.4 });
  expect(series(body, 'request_duration_seconds_sum')).toEqual({ [A]: 2 });
  expect(series(body, 'token_gap_seconds_count')).toEqual({ [A]: 4 });
  // Cumulative, and a bound belongs to its bucket.
  const buckets = series(body, 'token_gap_seconds_bucket');
  expect([0.015, 0.02, 0.025, 0.03, '+Inf'].map((bound) => buckets[`${A},le="${bound}"`])).toEqual([
    0, 2, 2, 4, 4,
  ]);
  expect(series(body, 'tokens_total')).toEqual({
    [`${A},direction="input"`]: 20,
    [`${A},direction="output"`]: 6,
  });
  expect(series(body, 'warmup_requests_total')).toEqual({ '': 4 });
  expect(series(body, 'load_level')).toEqual({ [A]: 4, [B]: 20 });
  expect(series(body, 'client_utilization_ratio')).toEqual({ 'thread="0"': 0.25, 'thread="1"': 0.5 });
  expect(series(body, 'run_info')).toEqual({ 'run="r1",scenario="demo",version="1.2.3"': 1 });
});

test('offered and in-flight requests are read from the counters of the block', async () => {
  const metrics = createLiveMetrics();
  metrics.runStarted(RUN);
  const memory = countsMemory();
  const counts = blockCounts(memory);
  metrics.windowOpened(1, memory);
  for (let sent = 0; sent < 5; sent++) counts.enter(10);
  counts.leave();
  metrics.samples([sample({ cell: 1, outcome: 'dropped' })]);
  let { body } = await metrics.text();
  expect(series(body, 'requests_in_flight')).toEqual({ [A]: 0, [B]: 4 });
  // Five were sent and one was dropped.
  expect(series(body, 'requests_offered_total')).toEqual({ [A]: 0, [B]: 6 });

  // The next window of the same cell adds to the counter; nothing is in flight after the run.
  const next = countsMemory();
  metrics.windowOpened(1, next);
  blockCounts(next).enter(10);
  metrics.runEnded();
  ({ body } = await metrics.text());
  expect(series(body, 'requests_offered_total')).toEqual({ [A]: 0, [B]: 7 });
  expect(series(body, 'requests_in_flight')).toEqual({ [A]: 0, [B]: 0 });
});

test('cells beyond the limit share one series', async () => {
  const metrics = createLiveMetrics(1);
  metrics.runStarted(RUN);
  metrics.samples([sample(), sample({ cell: 1 })]);
  // The same cells again, in a later run: no new series.
  metrics.runStarted({ ...RUN, id: 'r2' });
  metrics.samples([sample()]);
  const { body } = await metrics.text();
  expect(series(body, 'time_to_first_token_seconds_count')).toEqual({
    [A]: 2,
    'scenario="other",target="other",prompt="other",mode="streaming"': 1,
  });
  expect(Object.keys(series(body, 'run_info'))).toEqual(['run="r2",scenario="demo",version="1.2.3"']);
});

test('names with quotes and line breaks are escaped', async () => {
  const metrics = createLiveMetrics();
  metrics.runStarted({ ...RUN, cells: [{ ...RUN.cells[0]!, target: 'a"\n\\' }] });
  metrics.samples([sample()]);
  const { body } = await metrics.text();
  expect(body).toContain(String.raw`requests_in_flight{scenario="demo",target="a\"\n\\"`);
  expect(body).toContain(String.raw`token_gap_seconds_sum{scenario="demo",target="a\"\n\\"`);
});
