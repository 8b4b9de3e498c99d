import { describe, expect, test } from 'vitest';
import {
  checkThresholds,
  evaluateThresholds,
  parseThreshold,
} from '../../../src/analysis/thresholds/thresholds.ts';
import { createAggregator } from '../../../src/metrics/aggregate.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import type { CellReport } from '../../../src/model/report.ts';
import { manifest, record, wholeRecord } from '../../metrics/records.ts';

function mistake(text: string): { message: string; column: number; hint: string } {
  try {
    parseThreshold(text);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { code, problems } = error as UserError;
    expect(code).toBe('usage');
    expect(problems[0]!.place!.file).toBe(text);
    return { message: problems[0]!.message, column: problems[0]!.place!.column!, hint: problems[0]!.hint! };
  }
  throw new Error(`no error for: ${text}`);
}

describe('parsing', () => {
  test.each([
    ['ttft.p95 < 2s', 'ttft.p95', '<', 2000],
    ['ttft.p95{target=flash, prompt=short} < 800ms', 'ttft.p95', '<', 800],
    ['ttft.p95{target=flash,concurrency=16} < 800ms', 'ttft.p95', '<', 800],
    ['errors.rate < 1%', 'errors.rate', '<', 0.01],
    ['errors.rate<=0.01', 'errors.rate', '<=', 0.01],
    ['errors.count == 0', 'errors.count', '==', 0],
    ['stalls.rate < 5%', 'stalls.rate', '<', 0.05],
    ['stalls.mean < 0.5', 'stalls.mean', '<', 0.5],
    ['token_rate.p50 > 40', 'token_rate.p50', '>', 40],
    ['token_rate.p50 > 40/s', 'token_rate.p50', '>', 40],
    ['streaming.verdict == streaming', 'streaming.verdict', '==', 'streaming'],
    ['streaming.share >= 95%', 'streaming.share', '>=', 0.95],
    ['goodput > 5', 'goodput', '>', 5],
    ['goodput > 300/min', 'goodput', '>', 5],
    ['goodput.rate > 95%', 'goodput.rate', '>', 0.95],
    ['throughput.tokens > 100', 'throughput.tokens', '>', 100],
    ['queue.p99.9 < 500us', 'queue.p99.9', '<', 0.5],
    ['total.max < 1m30s', 'total.max', '<', 90_000],
    ['connect.mean < 0', 'connect.mean', '<', 0],
    ['bytes.p50 < 20 kB', 'bytes.p50', '<', 20_000],
    ['ttft.n >= 200', 'ttft.n', '>=', 200],
  ])('%s', (text, name, operator, limit) => {
    const threshold = parseThreshold(`  ${text} `);
    expect(threshold.expression).toBe(text);
    expect(threshold.quantity.name).toBe(name);
    expect(threshold.operator).toBe(operator);
    if (typeof limit === 'number') expect(threshold.limit).toBeCloseTo(limit, 12);
    else expect(threshold.limit).toBe(limit);
  });

  test('labels may be quoted, negated and hold dots, dashes, spaces and colons', () => {
    const { labels } = parseThreshold(
      'ttfa.p50 { target = glm-4.6, prompt="a, b", mode != non-streaming, concurrency=16 } < 3s',
    );
    expect(labels.map(({ name, value, not }) => [name, value, not])).toEqual([
      ['target', 'glm-4.6', false],
      ['prompt', 'a, b', false],
      ['mode', 'non-streaming', true],
      ['concurrency', '16', false],
    ]);
  });

  test.each([
    ['tftt.p95 < 2s', 1, /unknown metric "tftt"/, /did you mean "ttft"/],
    ['latencies.p95 < 2s', 1, /unknown metric "latencies"/, /known: ttfb, .*goodput|did you mean "latency"/],
    ['ttft < 2s', 5, /"ttft" needs a figure/, /ttft\.p50, .*ttft\.p95/],
    ['ttft.avg < 2s', 6, /"ttft" has no figure "avg"/, /did you mean "mean"/],
    ['ttft.p100 < 2s', 6, /no figure "p100"/, /p99\.9/],
    ['errors.p95 < 2s', 8, /"errors" has no figure "p95"/, /known: rate, count/],
    ['goodput.p50 > 5', 9, /"goodput" has no figure "p50"/, /known: rate/],
    ['ttft.p95 < 2x', 13, /unknown unit "x"/, /us, ms, s, m, h/],
    ['ttft.p95 < 2%', 13, /unknown unit "%"/, /800ms/],
    ['ttft.p95 < 800', 12, /800 has no unit/, /write 800ms or 800s/],
    ['ttft.p95 < fast', 12, /"fast" is not a number/, /800ms/],
    ['ttft.p95 < 2s please', 15, /"please" is not a number/, /800ms/],
    ['ttft.p95 <', 11, /the limit is missing/, /800ms/],
    ['errors.rate < 1', 15, /1 means 100 %/, /write 1%/],
    ['token_rate.p50 > 40 50', 21, /unexpected "50"/, /40\/s/],
    ['ttft.p95 = 2s', 10, /expected an operator/, /write ==/],
    ['ttft.p95', 9, /expected an operator, found the end/, /< <= >/],
    ['ttft.p95{model=a} < 2s', 10, /unknown label "model"/, /mode|known: target/],
    ['ttft.p95{target} < 2s', 16, /expected = or !=/, /\{target=VALUE\}/],
    ['ttft.p95{target=} < 2s', 17, /has no value/, /\{target=VALUE\}/],
    ['ttft.p95{target=a, target=b} < 2s', 20, /given twice/, /one threshold per value/],
    ['ttft.p95{target=a < 2s', 23, /expected , or }/, /target=flash/],
    ['ttft.p95{} < 2s', 10, /expected a label/, /target, prompt/],
    ['streaming.verdict == real', 22, /unknown verdict "real"/, /streaming, buffered/],
    ['streaming.verdict < streaming', 19, /is a word/, /streaming\.verdict == streaming/],
    ['p(95) < 2s', 1, /unknown metric "p"/, /ttft/],
    ['< 2s', 1, /expected a metric/, /ttft\.p95 < 800ms/],
  ])('%s is refused at column %i', (text, column, message, hint) => {
    const found = mistake(text);
    expect(found.message).toMatch(message);
    expect(found.message).toContain(`(column ${column})`);
    expect(found.hint).toMatch(hint);
    expect(found.column).toBe(column);
  });

  test('an empty text has a place too', () => {
    expect(() => parseThreshold('  ')).toThrow(/^threshold: expected a metric, found the end/);
  });
});

describe('checking against the plan', () => {
  const scope = {
    targets: ['flash', 'big'],
    prompts: ['short'],
    levels: [{ concurrency: 1 }, { concurrency: 16 }],
    modes: ['streaming'],
  } as const;

  test('labels that name nothing are found, with what exists', () => {
    const problems = checkThresholds(
      [
        parseThreshold('ttft.p95{target=flsh, concurrency=8} < 2s'),
        parseThreshold('total.p50{mode=non-streaming} < 2s'),
        parseThreshold('ttft.p95{target!=nobody} < 2s'),
        parseThreshold('ttft.p95{target=big, prompt=short, concurrency=16} < 2s'),
      ],
      scope,
    );
    expect(problems.map(({ message, hint }) => `${message}; ${hint}`)).toEqual([
      'no target "flsh" in this run (column 17); did you mean "flash"?',
      'no concurrency "8" in this run (column 35); known: 1, 16',
      'no mode "non-streaming" in this run (column 16); did you mean "streaming"?',
      'no target "nobody" in this run (column 18); known: flash, big',
    ]);
    expect(problems[0]!.place).toEqual({ file: 'ttft.p95{target=flsh, concurrency=8} < 2s', column: 17 });
  });

  test('a figure that the run will not measure is found', () => {
    const whole = { ...scope, modes: ['non-streaming'] as const };
    expect(checkThresholds([parseThreshold('gap.p95 < 100ms')], whole)[0]).toMatchObject({
      message: '"gap.p95" is not measured in non-streaming (column 1)',
      hint: 'it is measured in: streaming; this run measures: non-streaming',
    });
    expect(checkThresholds([parseThreshold('total.p95 < 3s')], whole)).toEqual([]);
  });
});

function cellsOf(records: readonly RequestRecord[], ...planned: CellReport['mode'][]): CellReport[] {
  const { cells } = manifest();
  const aggregator = createAggregator({
    stallMs: 1000,
    cells: cells.filter(({ mode }) => planned.includes(mode)),
  });
  for (const one of records) aggregator.add(one);
  return aggregator.cells();
}

function withTtft(ms: number, changes: Partial<RequestRecord> = {}): RequestRecord {
  const base = record(changes);
  return { ...base, marks: { ...base.marks, firstToken: base.marks.sent! + ms } };
}

function judge(text: string, cells: readonly CellReport[]) {
  return evaluateThresholds([parseThreshold(text)], cells)[0]!;
}

describe('evaluation', () => {
  test('all cells must pass, and the worst is shown', () => {
    const cells = cellsOf([
      withTtft(100),
      withTtft(300, { prompt: 'long' }),
      withTtft(200, { target: 'big' }),
    ]);
    expect(judge('ttft.p50 < 301ms', cells)).toMatchObject({
      verdict: 'pass',
      actual: 300,
      unit: 'ms',
      cell: { target: 'flash', prompt: 'long' },
      cells: { passed: 3, failed: 0, noData: 0 },
    });
    expect(judge('ttft.p50 < 300ms', cells)).toMatchObject({ verdict: 'fail', actual: 300 });
    expect(judge('ttft.p50{prompt=short} < 300ms', cells)).toMatchObject({ verdict: 'pass', actual: 200 });
    expect(judge('ttft.p50{prompt!=short} > 300ms', cells)).toMatchObject({ verdict: 'fail', actual: 300 });
    expect(judge('ttft.p50 > 50ms', cells)).toMatchObject({ verdict: 'pass', actual: 100 });
    expect(judge('ttft.p50{target=big,concurrency=4,mode=streaming} == 200ms', cells).verdict).toBe('pass');
  });

  test('the worst is the furthest to the wrong side, for every operator', () => {
    const cells = cellsOf([100, 200, 300].map((ms, i) => withTtft(ms, { prompt: `p${i}` })));
    const actual = (text: string) => judge(`ttft.p50 ${text}`, cells).actual;
    expect(['> 250ms', '>= 250ms', '< 150ms', '<= 150ms'].map(actual)).toEqual([100, 100, 300, 300]);
    // The furthest from what it must be, the nearest to what it must not be.
    expect(['== 180ms', '!= 220ms'].map(actual)).toEqual([300, 200]);
  });

  test('one figure that the client took late marks the gate', () => {
    const [one, other] = cellsOf([withTtft(100), withTtft(100, { prompt: 'long' })]);
    const late = { verdict: 'strained', lateMs: 12, limitMs: 10, utilization: 0.9 } as const;
    const client = { metrics: { ttft: late, total: { ...late, verdict: 'ok' } } };
    const marked = [{ ...one!, client: client as never }, other!];
    expect(judge('ttft.p50 < 1s', marked).clientLate).toBe(true);
    expect(judge('ttft.p50 < 1s', [one!, other!])).not.toHaveProperty('clientLate');
    // Not where another figure was late, or this one was not.
    expect(judge('ttfb.p50 < 1s', marked)).not.toHaveProperty('clientLate');
    expect(judge('total.p50 < 1s', marked)).not.toHaveProperty('clientLate');
  });

  test('a cell of whole answers is judged where a label asks for it', () => {
    const cells = cellsOf([record(), wholeRecord()]);
    expect(judge('ttft.p50{mode=non-streaming} < 1s', cells)).toMatchObject({ verdict: 'pass', actual: 200 });
    expect(judge('ttft.p50{mode!=streaming} < 1s', cells)).toMatchObject({ verdict: 'pass', actual: 200 });
    expect(judge('ttft.p50 < 1s', cells)).toMatchObject({ verdict: 'pass', actual: 100 });
  });

  test('no data is never a pass', () => {
    const failed = record({ outcome: { kind: 'timeout', phase: 'idle' } });
    expect(judge('ttft.p95 < 2s', cellsOf([], 'streaming'))).toMatchObject({
      verdict: 'no-data',
      actual: null,
      notes: ['1 cell without a successful request'],
    });
    expect(judge('ttft.p95 < 2s', cellsOf([failed]))).toMatchObject({ verdict: 'no-data', actual: null });
    expect(judge('ttft.p95{target=nobody} < 2s', cellsOf([record()]))).toMatchObject({
      verdict: 'no-data',
      notes: ['no cell of this run matches'],
    });
    expect(judge('goodput > 1', cellsOf([record()])).verdict).toBe('no-data');
    expect(judge('streaming.verdict == streaming', cellsOf([record()])).verdict).toBe('no-data');
    expect(judge('ttft.p95 < 2s', []).verdict).toBe('no-data');
    // One cell that passes does not speak for one that has nothing; one that fails does.
    const mixed = cellsOf([record(), { ...failed, prompt: 'long' }]);
    expect(judge('ttft.p50 < 2s', mixed)).toMatchObject({ verdict: 'no-data', actual: 100 });
    expect(judge('ttft.p50 < 2ms', mixed)).toMatchObject({ verdict: 'fail', actual: 100 });
  });

  test('a figure that a cell cannot have is passed over, unless no cell has it', () => {
    const reused = record({ prompt: 'long', connection: { reused: true } });
    expect(judge('connect.max < 1s', cellsOf([record(), reused]))).toMatchObject({
      verdict: 'pass',
      actual: 15,
      cells: { passed: 1, failed: 0, noData: 0 },
    });
    expect(judge('connect.max < 1s', cellsOf([reused]))).toMatchObject({
      verdict: 'no-data',
      notes: ['no request has a value of connect.max'],
    });
  });

  test('speaks of streaming cells unless told otherwise, and of errors everywhere', () => {
    const whole = record({ mode: 'non-streaming', outcome: { kind: 'http_error', status: 500 } });
    const cells = cellsOf([record(), whole]);
    expect(judge('total.p50 < 1s', cells)).toMatchObject({ verdict: 'pass', actual: 200 });
    expect(judge('total.p50{mode=non-streaming} < 1s', cells).verdict).toBe('no-data');
    expect(judge('errors.rate < 1%', cells)).toMatchObject({ verdict: 'fail', actual: 1 });
    expect(judge('errors.rate{mode=streaming} < 1%', cells)).toMatchObject({ verdict: 'pass', actual: 0 });
    const wholeOnly = cellsOf([record({ mode: 'non-streaming' })]);
    expect(judge('total.p50 < 1s', wholeOnly)).toMatchObject({ verdict: 'pass', actual: 200 });
  });

  test('errors leave out what the user cancelled, and count everything else', () => {
    const cells = cellsOf([
      record(),
      record({ outcome: { kind: 'cancelled' } }),
      record({ outcome: { kind: 'truncated' } }),
      record({ outcome: { kind: 'dropped' } }),
    ]);
    expect(judge('errors.count < 3', cells)).toMatchObject({ verdict: 'pass', actual: 2 });
    expect(judge('errors.rate < 50%', cells).actual).toBeCloseTo(2 / 3);
    expect(judge('ttft.p50 < 1s', cells).notes).toContain('2 of 3 requests failed and are not included');
  });

  test('says when there are too few values for the quantile', () => {
    const few = cellsOf(Array.from({ length: 199 }, () => record()));
    const enough = cellsOf(Array.from({ length: 200 }, () => record()));
    expect(judge('ttft.p95 < 2s', few).notes).toEqual([
      'ttft.p95 of 199 values: with fewer than 200, few requests decide it',
    ]);
    expect(judge('ttft.p95 < 2s', enough).notes).toEqual([]);
    expect(judge('ttft.p50 < 2s', few).notes).toEqual([]);
  });

  test('stalls.rate is the share of requests that stalled, from samples and from the histogram alike', () => {
    const stalled = record({ gaps: [20, 1500, 2500] });
    const cells = cellsOf([stalled, record(), record(), record()]);
    expect(judge('stalls.rate < 25%', cells)).toMatchObject({ verdict: 'fail', actual: 0.25 });
    const { samples: _, ...withoutSamples } = cells[0]!.metrics.stalls!;
    const folded = [{ ...cells[0]!, metrics: { ...cells[0]!.metrics, stalls: withoutSamples } }];
    expect(judge('stalls.rate <= 25%', folded)).toMatchObject({ verdict: 'pass', actual: 0.25 });
  });

  test('any percentile can be asked for', () => {
    const cells = cellsOf(Array.from({ length: 1000 }, (_, i) => withTtft(i + 1)));
    expect(judge('ttft.p99.9 <= 999ms', cells)).toMatchObject({ verdict: 'pass', actual: 999 });
    expect(judge('ttft.p75 < 800ms', cells)).toMatchObject({ verdict: 'pass', actual: 750 });
  });

  test('the streaming verdict is compared by its word', () => {
    const [cell] = cellsOf([record()]);
    const none = { streaming: 0, buffered: 0, replayed: 0, coarse: 0, tail_buffered: 0, inconclusive: 0 };
    const real: CellReport = {
      ...cell!,
      streaming: {
        verdict: 'streaming',
        evidence: '',
        counts: { ...none, streaming: 38, buffered: 2, inconclusive: 5 },
      },
    };
    const fake: CellReport = {
      ...cell!,
      prompt: 'long',
      streaming: { verdict: 'buffered', evidence: '', counts: { ...none, buffered: 40 } },
    };
    expect(judge('streaming.verdict == streaming', [real])).toMatchObject({
      verdict: 'pass',
      actual: 'streaming',
    });
    expect(judge('streaming.verdict == streaming', [real, fake])).toMatchObject({
      verdict: 'fail',
      actual: 'buffered',
      cell: { prompt: 'long' },
    });
    expect(judge('streaming.share >= 95%', [real])).toMatchObject({ verdict: 'pass', actual: 0.95 });
  });
});
