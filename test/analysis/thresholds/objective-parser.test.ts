import { describe, expect, test } from 'vitest';
import {
  checkObjectives,
  modesOfObjectives,
  parseObjective,
} from '../../../src/analysis/thresholds/objective-parser.ts';
import {
  checkThresholds,
  evaluateThresholds,
  parseThreshold,
} from '../../../src/analysis/thresholds/thresholds.ts';
import { createAggregator } from '../../../src/metrics/aggregate.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import { manifest, record, wholeRecord } from '../../metrics/records.ts';

function cellsOf(objectives: readonly string[], records: readonly RequestRecord[]) {
  const aggregator = createAggregator(manifest(), objectives.map(parseObjective));
  for (const one of records) aggregator.add(one);
  return aggregator.cells();
}

const goodputOf = (objectives: readonly string[], ...records: RequestRecord[]) =>
  cellsOf(objectives, records)[0]!.goodput;

/** A good record whose first token comes after this long. */
function withTtft(ms: number, more: Partial<RequestRecord> = {}): RequestRecord {
  const { marks } = record();
  return record({ marks: { ...marks, firstToken: marks.sent! + ms }, ...more });
}

describe('parsing', () => {
  test.each([
    ['ttft < 500ms', 'ttft', '<', 500],
    [' longest_gap<=0.2s ', 'longest_gap', '<=', 200],
    ['token_rate > 40/s', 'token_rate', '>', 40],
    ['stalls == 0', 'stalls', '==', 0],
  ])('%s', (text, name, operator, limit) => {
    const objective = parseObjective(text);
    expect([objective.metric.name, objective.operator, objective.limit]).toEqual([name, operator, limit]);
  });

  test.each([
    ['', 1, /expected a metric/, /ttft < 500ms/],
    ['tftt < 1s', 1, /unknown metric "tftt"/, /did you mean "ttft"/],
    ['errors < 1', 1, /unknown metric "errors"/, /ttfb, /],
    ['bytes > 5', 1, /cannot be an objective/, /ttft/],
    ['ttft.p95 < 1s', 5, /has no percentile/, /write: ttft </],
    ['ttft{target=a} < 1s', 6, /takes no labels/, /goodput\.rate\{target/],
    ['ttft = 1s', 6, /expected an operator/, /write ==/],
    ['ttft < 500', 8, /500 has no unit/, /500ms/],
  ])('%s is refused', (text, column, message, hint) => {
    let error: unknown;
    try {
      parseObjective(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({
      code: 'usage',
      problems: [
        { message: expect.stringMatching(message), hint: expect.stringMatching(hint), place: { column } },
      ],
    });
  });

  test('what a run does not measure is told', () => {
    const gap = parseObjective('gap < 1s');
    expect(checkObjectives([gap], ['streaming', 'non-streaming'])).toEqual([]);
    expect(checkObjectives([gap], ['non-streaming'])[0]!.message).toMatch(
      /"gap" is not measured in non-streaming/,
    );
    expect(modesOfObjectives([gap, parseObjective('ttft < 1s')])).toEqual(['streaming']);
    expect(modesOfObjectives([parseObjective('ttft < 1s')])).toEqual(['streaming', 'non-streaming']);
  });
});

describe('goodput', () => {
  test('counts requests that ended well and met every objective, of all that were sent', () => {
    const failed = record({ outcome: { kind: 'truncated' } });
    const cancelled = record({ outcome: { kind: 'cancelled' } });
    // One window of 218 ms: from started 1002 to end 1220.
    expect(
      goodputOf(
        ['ttft < 150ms', 'gap < 30ms'],
        withTtft(100),
        withTtft(200),
        withTtft(100, { gaps: [10, 40] }),
        failed,
        cancelled,
      ),
    ).toEqual({ requestsPerSecond: 4.587156, share: 0.25, met: 1, requests: 4 });
    expect(goodputOf(['ttft < 1s'], failed)).toMatchObject({ requestsPerSecond: 0, share: 0 });
  });

  test('a value that a good answer may do without is not held against it; any other is', () => {
    const reused = record({ connection: { reused: true }, gaps: [] });
    expect(goodputOf(['connect < 1ms', 'longest_gap < 1ms', 'gap < 1ms'], reused)!.met).toBe(1);
    const { firstAnswer: _, ...marks } = record().marks;
    expect(goodputOf(['ttfa < 1h'], record({ marks }))!.met).toBe(0);
  });

  test('is null without objectives, without a request, and where one has no meaning', () => {
    expect(goodputOf([], record())).toBeNull();
    expect(goodputOf(['ttft < 1s'])).toBeNull();
    const [streaming, whole] = cellsOf(['longest_gap < 1s'], [record(), wholeRecord()]);
    expect([streaming!.goodput?.share, whole!.goodput]).toEqual([1, null]);
    expect(cellsOf(['ttft < 1s'], [wholeRecord()])[1]!.goodput?.share).toBe(1);
  });

  test('is a gate, as a rate and as a share', () => {
    const cells = cellsOf(
      ['ttft < 150ms'],
      [withTtft(100), withTtft(200), record({ outcome: { kind: 'timeout' } })],
    );
    const judge = (text: string) => evaluateThresholds([parseThreshold(text)], cells)[0]!;
    expect(judge('goodput > 4/s')).toMatchObject({
      verdict: 'pass',
      unit: '1/s',
      actual: 4.587156,
      notes: [],
    });
    expect(judge('goodput > 5/s').verdict).toBe('fail');
    expect(judge('goodput.rate > 95%')).toMatchObject({ verdict: 'fail', unit: 'ratio', actual: 0.333333 });
  });

  test('as a gate needs objectives, in a mode where they are measured', () => {
    const scope = {
      targets: [],
      prompts: [],
      levels: [],
      modes: ['streaming', 'non-streaming'] as const,
    };
    const problems = (text: string, objectiveModes?: readonly ('streaming' | 'non-streaming')[]) =>
      checkThresholds([parseThreshold(text)], { ...scope, ...(objectiveModes ? { objectiveModes } : {}) });
    expect(problems('goodput > 3/s')[0]).toMatchObject({
      message: expect.stringMatching(/this run states none/),
      hint: expect.stringContaining('--objective "ttft < 500ms"'),
    });
    expect(problems('goodput > 3/s', ['streaming'])).toEqual([]);
    expect(problems('goodput.rate{mode=non-streaming} > 5%', ['streaming'])[0]!.message).toMatch(
      /not measured in non-streaming/,
    );
  });
});
