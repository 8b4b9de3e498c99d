import { expect, test } from 'vitest';
import { runId } from '../../src/results/run-folder.ts';

const date = new Date('2026-11-21T03:31:58.789Z');

test('is the time, the name and four digits', () => {
  expect(runId('demo', date, () => 0x3f2a / 0x10000)).toBe('2026-11-21T03-31-58-demo-3f2a');
  expect(runId('demo', date, () => 0)).toMatch(/-0000$/);
});

test.each([
  ['glm-flash-or-4.6', 'glm-flash-or-4-6'],
  ['../../etc/passwd', 'etc-passwd'],
  ['a b\\c:d*?"<>|\u0000', 'a-b-c-d'],
  ['基准 测试', '基准-测试'],
  ['--', 'run'],
  ['', 'run'],
  ['x'.repeat(60), 'x'.repeat(40)],
])('%j becomes a safe part of a file name', (name, part) => {
  expect(runId(name, date, () => 0)).toBe(`2026-11-21T03-31-58-${part}-0000`);
});

test('sorts by time', () => {
  const later = runId('a', new Date('2026-11-21T03:31:59Z'), () => 0);
  expect([later, runId('z', date, () => 0.9)].sort()[1]).toBe(later);
});
