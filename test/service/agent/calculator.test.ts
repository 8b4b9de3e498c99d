import { describe, expect, test } from 'vitest';
import { calculate } from '../../../src/service/agent/calculator.ts';

describe('arithmetic', () => {
  test.each([
    ['1+2*3', 7],
    ['(1+2)*3', 9],
    [' 10 / 4 ', 2.5],
    ['10 % 4', 2],
    ['2^3^2', 512],
    ['2**10', 1024],
    ['-2^2', -4],
    ['2^-1', 0.5],
    ['--3', 3],
    ['.5 + 1e3', 1000.5],
    ['6 ÷ 3 × 2 − 1', 3],
  ])('%s = %d', (expression, value) => expect(calculate(expression)).toBe(value));

  test.each(['', '1+', '(1', '1)', '1 2', 'process.exit()', '1;2', '0x10', 'a', '1/0', '0/0', '9^999'])(
    '%j is refused',
    (expression) => expect(() => calculate(expression)).toThrow(Error),
  );

  test('a hostile expression neither hangs nor exhausts the stack', () => {
    expect(() => calculate('('.repeat(100_000))).toThrow(/longer than/);
    expect(() => calculate('('.repeat(199))).toThrow(/nested too deeply/);
    expect(() => calculate('-'.repeat(199))).toThrow(/nested too deeply/);
  });
});
