import { describe, expect, test } from 'vitest';
import { planScenario } from '../../src/scenario/plan.ts';
import { parseSize } from '../../src/scenario/size-and-duration.ts';
import { load, problems, yaml } from './helpers.ts';

describe('sizes', () => {
  test.each([
    ['16MB', 16_000_000],
    ['16MiB', 16_777_216],
    ['1.5KiB', 1_536],
    ['64kB', 64_000],
    ['1GB', 1_000_000_000],
    ['10B', 10],
  ])('%s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each(['', '16', 'MB', '16 MB', '-1MB', '1e3MB', '16mb', '1MB1kB'])('%s is none', (text) =>
    expect(parseSize(text)).toBeUndefined(),
  );
});

describe('limits of a scenario', () => {
  test('reach the plan in bytes; what is not said is left to the default', () => {
    const loaded = load(yaml('limits: { event: 1MB, headers: 10KiB, stream: 2GB }'));
    expect(planScenario(loaded).limits).toEqual({
      eventBytes: 1_000_000,
      headerBytes: 10_240,
      streamBytes: 2_000_000_000,
    });
    expect(planScenario(load(yaml())).limits).toBeUndefined();
  });

  test.each([
    ['event: 16', /a size such as 64KB, 16MB or 16MiB/],
    ['event: 0MB', /more than 0 and at most 500 MiB/],
    ['body: 1GB', /more than 0 and at most 500 MiB/],
    ['line: 1MB', /event, body, stream, headers/],
  ])('%s is a problem with a place', (field, message) => {
    expect(problems(yaml(`limits: { ${field} }`)).join('\n')).toMatch(message);
  });
});
