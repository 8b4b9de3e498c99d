import { expect, test } from 'vitest';
import { connectionGroup, headline, stepsOf, succeeded } from '../../src/report/probe-report.ts';
import { probeRecord, probeRequest, warmRequest } from './probes.ts';

test('the steps of a request follow each other without a gap, from the beginning of its connection', () => {
  const steps = stepsOf(probeRecord(), 'openai-chat');
  expect(steps.map(({ title }) => title)).toEqual([
    'dns',
    'tcp',
    'tls',
    'request sent',
    'headers',
    'first byte',
    'first event',
    'first token',
    'first answer',
    'last token',
    'end',
  ]);
  expect(steps[0]).toMatchObject({ fromMs: 0, toMs: 12 });
  for (const [i, step] of steps.entries()) if (i > 0) expect(step.fromMs).toBe(steps[i - 1]!.toMs);
  expect(steps.at(-1)!.toMs).toBe(1001.5);
});

test('an answer that came before the request was written does not take negative time', () => {
  const { marks } = probeRecord();
  const steps = stepsOf(probeRecord({ marks: { ...marks, sent: 390 } }), 'openai-chat');
  expect(steps.find(({ mark }) => mark === 'headers')).toMatchObject({ fromMs: 388, toMs: 388 });
});

test('on an open connection the time counts from the request', () => {
  expect(stepsOf(warmRequest().record, 'openai-chat')[0]).toMatchObject({ mark: 'sent', fromMs: 0 });
});

test('the medians of the marks, of cold and of warm requests', () => {
  const later = warmRequest();
  later.record.marks.headers = later.record.marks.headers! + 10;
  const latest = warmRequest();
  latest.record.marks.headers = latest.record.marks.headers! + 50;
  const requests = [probeRequest(), latest, warmRequest(), later];
  expect(connectionGroup(requests, false)).toMatchObject({ n: 1, atMs: { dns: 12, headers: 378 } });
  const warm = connectionGroup(requests, true);
  expect(warm).toMatchObject({ n: 3, atMs: { headers: 329 } });
  expect(warm.atMs).not.toHaveProperty('dns');
});

test('a failed request is in neither group', () => {
  const failed = probeRequest({ outcome: { kind: 'truncated' } });
  expect(connectionGroup([failed], false)).toEqual({ n: 0, atMs: {} });
});

test.each([
  ['ok', probeRequest(), true],
  ['cut', probeRequest({ outcome: { kind: 'truncated' } }), false],
  [
    'ended by us',
    { ...probeRequest({ outcome: { kind: 'cancelled' } }), stopped: { by: 'time', afterMs: 5 } },
    true,
  ],
  [
    'ended by us before anything came',
    { ...probeRequest({ outcome: { kind: 'cancelled' }, bytes: 0 }), stopped: { by: 'time', afterMs: 5 } },
    false,
  ],
  [
    'ended by us in the middle of an error page',
    { ...probeRequest({ outcome: { kind: 'cancelled' }, status: 502 }), stopped: { by: 'time', afterMs: 5 } },
    false,
  ],
] as const)('success: %s', (_name, request, success) => {
  expect(succeeded(request)).toBe(success);
});

test('the headline is by the formulas of every report', () => {
  const { ttfbMs, ttftMs, totalMs, tokensPerSecond } = headline(probeRecord());
  expect(ttfbMs).toBeCloseTo(312.6);
  expect(ttftMs).toBeCloseTo(313.6);
  expect(totalMs).toBeCloseTo(936.1);
  // 27 tokens after the first, in 621 ms.
  expect(tokensPerSecond).toBeCloseTo(43.478, 2);
});
