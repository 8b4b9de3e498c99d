import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, test } from 'vitest';
import { faultsPage } from './document.ts';
import { examine, type Seen } from './examine.ts';
import type { Fault } from './fault.ts';
import { BOUND_MS, HEAP_MB } from './limits.ts';
import { FAULTS, GROUPS } from './table.ts';

const AT_ONCE = 12;

const seen = new Map<string, Seen>();
let grownMb = 0;

function heapMb(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

async function examineAll(faults: readonly Fault[]): Promise<void> {
  const left = [...faults];
  const worker = async () => {
    for (let fault = left.shift(); fault !== undefined; fault = left.shift()) {
      seen.set(fault.name, await examine(fault));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

beforeAll(async () => {
  // The first faults load the code.
  await examineAll(FAULTS.slice(0, AT_ONCE));
  const before = heapMb();
  await examineAll(FAULTS.slice(AT_ONCE));
  grownMb = heapMb() - before;
}, 180_000);

test('the table has at least 200 faults, each with a name of its own', () => {
  expect(FAULTS.length).toBeGreaterThanOrEqual(200);
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
});

test('every failure that is expected has an expected message', () => {
  const without = FAULTS.filter(({ expect: { kind, message } }) => kind !== 'ok' && !message);
  expect(without.map(({ name }) => name)).toEqual([]);
});

describe.each(GROUPS.map(({ title, faults }) => ({ title, faults })))('$title', ({ faults }) => {
  test.each(faults.map((fault) => [fault.name, fault] as const))('%s', (name, fault) => {
    const { outcome, text, tookMs, next, nextText } = seen.get(name)!;
    const { kind, phase, message = '', hint = '' } = fault.expect;
    expect({ kind: outcome.kind, phase: outcome.phase }, outcome.message).toEqual({ kind, phase });
    expect(outcome.message ?? '').toContain(message);
    expect(outcome.hint ?? '').toContain(hint);
    if (fault.expect.text !== undefined) expect(text).toBe(fault.expect.text);
    expect(tookMs).toBeLessThan(BOUND_MS);
    expect({ next, nextText }).toEqual({ next: { kind: 'ok' }, nextText: 'Hello world' });
  });
});

test('no fault leaves memory behind', () => {
  expect(grownMb).toBeLessThan(HEAP_MB);
});

test('docs/faults.md is current', async () => {
  await expect(faultsPage(GROUPS, seen)).toMatchFileSnapshot('../../docs/faults.md');
});
