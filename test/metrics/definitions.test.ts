import { describe, expect, test } from 'vitest';
import { METRICS, type MetricDefinition, metric } from '../../src/metrics/definitions.ts';
import { UserError } from '../../src/model/errors.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Marks } from '../../src/model/timeline.ts';
import { record, wholeRecord } from './records.ts';

const CONTEXT = { stallMs: 1000 };

function all(one: RequestRecord): Record<string, number | readonly number[] | null> {
  return Object.fromEntries(METRICS.map((definition) => [definition.name, definition.values(one, CONTEXT)]));
}

describe('formulas', () => {
  test('a streaming request over a new connection', () => {
    expect(all(record())).toEqual({
      ttfb: 80,
      ttfb_body: 85,
      ttfe: 90,
      ttft: 100,
      ttfa: 120,
      ttst: 20,
      gap: [20, 20, 20, 20],
      tpot: 10,
      chunk_rate: 50,
      token_rate: 100,
      output_rate: expect.closeTo(10 / 0.18, 6),
      latency: 180,
      total: 200,
      reader_wait: expect.closeTo(120, 6),
      tail: 20,
      connect: 15,
      dns: 2,
      tcp: 5,
      tls: 8,
      queue: 2,
      // In runs with retries only.
      retries: null,
      response: null,
      // Not in an open loop, so it was due when a slot was free.
      ttfb_scheduled: null,
      ttft_scheduled: null,
      ttfa_scheduled: null,
      latency_scheduled: null,
      total_scheduled: null,
      stalls: 0,
      stalled_ms: 0,
      longest_gap: 20,
      chunks: 5,
      output_tokens: 10,
      hidden_reasoning: null,
      // The provider tells of no cache.
      cached_share: null,
      bytes: 900,
    });
  });

  test('a whole answer has no figures about a stream', () => {
    const values = all(wholeRecord());
    const given = Object.entries(values).filter(([, value]) => value !== null);
    expect(Object.fromEntries(given)).toEqual({
      ttfb: 195,
      ttfb_body: 196,
      ttft: 200,
      ttfa: 200,
      latency: 200,
      total: 200,
      reader_wait: 200,
      queue: 2,
      output_rate: 50,
      output_tokens: 10,
      bytes: 900,
    });
  });

  test('in an open loop every time also counts from when the request was due', () => {
    const late = record({ rate: 10 });
    const { scheduled, sent } = late.marks;
    const lateMs = sent! - scheduled;
    expect(lateMs).toBeGreaterThan(0);
    expect(all(late)).toMatchObject({
      ttfb_scheduled: 80 + lateMs,
      ttft_scheduled: 100 + lateMs,
      ttfa_scheduled: 120 + lateMs,
      latency_scheduled: 180 + lateMs,
      total_scheduled: 200 + lateMs,
    });
  });

  test('stalls are gaps above the limit, not at it', () => {
    const one = record({ gaps: [20, 1000, 1500, 2500.5] });
    expect(all(one)).toMatchObject({ stalls: 2, stalled_ms: 4000.5, longest_gap: 2500.5 });
  });

  test('connect times are of new connections only', () => {
    const none = { connect: null, dns: null, tcp: null, tls: null };
    expect(all(record({ connection: { reused: true } }))).toMatchObject(none);
    const { connection: _, ...unknown } = record();
    expect(all(unknown)).toMatchObject(none);
  });

  test('plain http to an address has neither dns nor tls', () => {
    const { dns: _, tls: _t, ...marks } = record().marks;
    expect(all(record({ marks }))).toMatchObject({ connect: 7, dns: null, tcp: 7, tls: null });
  });

  const marks = record().marks;
  const dull = { tpot: null, token_rate: null, chunk_rate: null };
  test.each<[string, Partial<RequestRecord>, object]>([
    [
      'one chunk',
      { contentEvents: 1, gaps: [], marks: { ...marks, lastToken: 1120 } },
      { ...dull, longest_gap: null, gap: [], stalls: 0 },
    ],
    ['all in one read', { gaps: [], coalesced: 4, marks: { ...marks, lastToken: 1120 } }, dull],
    ['all within a fraction of a millisecond', { marks: { ...marks, lastToken: 1120.9 } }, dull],
    ['one token', { tokens: { output: 1, source: 'usage', first: 1 } }, { tpot: null, token_rate: null }],
    [
      'all tokens in the first event',
      { tokens: { output: 10, source: 'usage', first: 10 } },
      { tpot: null, token_rate: null },
    ],
    [
      'an estimate above the count',
      { tokens: { output: 10, source: 'usage', first: 12 } },
      { tpot: null, token_rate: null },
    ],
    [
      'a first event of unknown size counts as one token',
      { tokens: { output: 9, source: 'chunks' } },
      { tpot: 10, token_rate: 100 },
    ],
    [
      'no token count',
      { tokens: { output: null, source: 'chunks' } },
      { tpot: null, token_rate: null, output_tokens: null },
    ],
    [
      'hidden reasoning is in the output, not in the speed',
      { tokens: { output: 1010, source: 'usage', reasoning: 1000, hiddenReasoning: 1000, first: 2 } },
      { tpot: 10, token_rate: 100, output_rate: expect.closeTo(1010 / 0.18, 6), hidden_reasoning: 1000 },
    ],
    [
      'reasoning that was sent counts like any content',
      { tokens: { output: 10, source: 'usage', reasoning: 8, hiddenReasoning: 0, first: 2 } },
      { tpot: 10, hidden_reasoning: 0 },
    ],
    [
      'the time of a summary does not count either',
      {
        tokens: {
          ...{ output: 1010, source: 'usage', reasoning: 1000, hiddenReasoning: 1000 },
          ...{ first: 2, visibleAfterMs: 40 },
        },
      },
      { tpot: 5, token_rate: 200 },
    ],
    [
      'an older record does not name hidden reasoning: it is hidden where no reasoning text came',
      { tokens: { output: 1010, source: 'usage', reasoning: 1000, first: 202 } },
      { tpot: 10, hidden_reasoning: 1000 },
    ],
    [
      'an older record with reasoning text is taken as it was',
      { tokens: { output: 10, source: 'usage', reasoning: 8, first: 2 }, chars: { answer: 9, thinking: 9 } },
      { tpot: 10, hidden_reasoning: 0 },
    ],
    [
      'nothing but hidden reasoning has no speed',
      { tokens: { output: 1000, source: 'usage', reasoning: 1000, hiddenReasoning: 1000, first: 0 } },
      { tpot: null, token_rate: null, hidden_reasoning: 1000 },
    ],
    [
      'one content event has no rate, whatever its marks say',
      { contentEvents: 1, gaps: [] },
      { chunk_rate: null },
    ],
    ['no content', { contentEvents: 0, gaps: [] }, { stalls: null, stalled_ms: null, longest_gap: null }],
  ])('%s', (_, changes, expected) => {
    expect(all(record(changes))).toMatchObject(expected);
  });

  test('missing, reversed and broken marks give null, never NaN or a negative', () => {
    const broken: Marks[] = [
      { scheduled: 1, started: 1 },
      { ...marks, sent: Number.NaN },
      { ...marks, sent: 5000, connectStart: 5000, lastToken: 0, started: 0 },
      { ...marks, sent: null as unknown as number, end: Number.POSITIVE_INFINITY },
    ];
    for (const one of broken) {
      const values = Object.values(all(record({ marks: one, gaps: [-1, Number.NaN, 5] }))).flat();
      expect(values.every((value) => value === null || (Number.isFinite(value) && value >= 0))).toBe(true);
    }
    expect(all(record({ marks: broken[3]! }))).toMatchObject({ ttfb: null, total: null });
    expect(all(record({ gaps: [-1, Number.NaN, 5] })).gap).toEqual([5]);
  });
});

describe('lookup', () => {
  test('names are unique, and every metric has a description', () => {
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
    for (const { name, title, formula } of METRICS) {
      expect(name).toMatch(/^[a-z_]+$/);
      expect(title && formula).toBeTruthy();
    }
  });

  test('finds by name and suggests a similar name', () => {
    expect(metric('ttft').unit).toBe('ms');
    const error = catchError(() => metric('tttf'));
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code: 'unknown_metric' });
    expect((error as UserError).message).toContain('did you mean "ttf');
  });
});

describe('facts of the table', () => {
  const names = (is: (definition: MetricDefinition) => unknown) => METRICS.filter(is).map(({ name }) => name);

  test('a property of the connection says nothing about a failed request', () => {
    expect(names(({ ofConnection }) => ofConnection)).toEqual(['connect', 'dns', 'tcp', 'tls']);
  });

  test('a successful answer may lack marks that a reused connection or a single read does not have', () => {
    expect(names(({ optional }) => optional).sort()).toEqual(
      [
        'connect',
        'dns',
        'tcp',
        'tls',
        'ttst',
        'gap',
        'longest_gap',
        'tpot',
        'chunk_rate',
        'token_rate',
      ].sort(),
    );
  });

  test('times since a request was due include a late start of the client', () => {
    expect(names(({ sinceDue }) => sinceDue)).toEqual(names(({ name }) => name.endsWith('_scheduled')));
  });

  test('the prefix cache affects these', () => {
    expect(names(({ byCache }) => byCache)).toEqual(['ttft', 'ttfa', 'latency', 'total']);
  });

  test('every time ends with a stamp of the client, except its own lateness and sums over a request', () => {
    const unstamped = names(({ unit, stamp }) => unit === 'ms' && stamp === undefined);
    expect(unstamped).toEqual(['queue', 'stalled_ms']);
  });
});

function catchError(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('a stream that was cut as planned', () => {
  // The last content 20 ms before the cut.
  const cut = all(record({ cut: true }));

  test('has no time of a whole answer', () => {
    for (const name of ['latency', 'total', 'tail', 'reader_wait']) expect(cut[name], name).toBeNull();
    const open = all(record({ cut: true, rate: 5 }));
    for (const name of ['latency_scheduled', 'total_scheduled']) expect(open[name], name).toBeNull();
    expect(open.ttft_scheduled).toBe(120);
  });

  test('has its rates, gaps and stalls over all of the time for which it was read', () => {
    expect(cut).toMatchObject({
      ttft: 100,
      gap: [20, 20, 20, 20],
      chunk_rate: 40,
      stalls: 0,
      longest_gap: 20,
    });
    const { marks } = record();
    const silent = all(record({ cut: true, marks: { ...marks, end: marks.lastToken! + 5_000 } }));
    expect(silent).toMatchObject({ stalls: 1, stalled_ms: 5_000, longest_gap: 5_000 });
    expect(silent.chunk_rate).toBeCloseTo(4_000 / 5_080, 6);
    // One event, then silence.
    const one = all(record({ cut: true, gaps: [], contentEvents: 1, marks: { ...marks, end: 9_200 } }));
    expect(one).toMatchObject({ stalls: 1, longest_gap: 8_000, gap: [], chunk_rate: null });
  });

  test('the silence after the last content of an ordinary answer is no gap', () => {
    const { marks } = record();
    const slowEnd = all(record({ marks: { ...marks, end: 9_200 } }));
    expect(slowEnd).toMatchObject({ stalls: 0, longest_gap: 20, tail: 8_000, chunk_rate: 50 });
  });
});

describe('a field that the tool of an imported run did not record', () => {
  test.each([
    ['gaps', ['gap', 'stalls', 'stalled_ms', 'longest_gap', 'reader_wait']],
    ['contentEvents', ['chunks', 'chunk_rate']],
    ['chars', ['reader_wait']],
    ['bytes', ['bytes']],
    ['lastToken', ['latency', 'tail', 'output_rate']],
    ['end', ['tail']],
    ['scheduled', ['queue']],
  ] as const)('%s: the metrics that need it have no value, all others do', (field, without) => {
    const valuesOf = (one: RequestRecord) =>
      METRICS.filter(({ values }) => {
        const value = values(one, { stallMs: 1000 });
        return value !== null && !(Array.isArray(value) && value.length === 0);
      }).map(({ name }) => name);
    const gaps = field === 'gaps' ? [] : record().gaps;
    const missing = valuesOf(record()).filter(
      (name) => !valuesOf(record({ unobserved: [field], gaps })).includes(name),
    );
    expect(missing.sort()).toEqual([...without].sort());
  });
});
