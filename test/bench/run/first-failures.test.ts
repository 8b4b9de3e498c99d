import { expect, test } from 'vitest';
import { watchFirstFailures } from '../../../src/bench/run/first-failures.ts';
import type { Outcome } from '../../../src/model/record.ts';

const failed = (message = 'HTTP 404: no (1)'): Outcome => ({ kind: 'http_error', status: 404, message });

function verdicts(outcomes: readonly Outcome[], target = 't', watch = watchFirstFailures()) {
  return outcomes.map((outcome) => watch.add(target, { outcome }) !== undefined);
}

test('the fifth failure of the same kind stops the run, once', () => {
  expect(verdicts(Array(7).fill(failed()))).toEqual([false, false, false, false, true, false, false]);
  expect(verdicts([1, 2, 3, 4, 5].map((n) => failed(`HTTP 404: no (${n})`))).at(-1)).toBe(true);
});

test.each<[string, Outcome]>([
  ['an answer', { kind: 'ok' }],
  ['another kind of failure', { kind: 'timeout', phase: 'connect' }],
  ['another status', { kind: 'http_error', status: 500, message: 'HTTP 404: no (1)' }],
])('%s among the first ones, and the run goes on', (_name, other) => {
  expect(verdicts([failed(), failed(), other, ...Array<Outcome>(10).fill(failed())])).not.toContain(true);
});

test('what was cancelled or not sent says nothing; each target is watched by itself', () => {
  const watch = watchFirstFailures();
  verdicts(Array(4).fill(failed()), 'a', watch);
  expect(verdicts([{ kind: 'cancelled' }, { kind: 'dropped' }], 'a', watch)).toEqual([false, false]);
  expect(verdicts([failed()], 'b', watch)).toEqual([false]);
  expect(watch.add('a', { outcome: failed() })).toMatch(/first 5 requests to target "a"[\s\S]*--keep-going/);
});
