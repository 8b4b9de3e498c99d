import { describe, expect, test } from 'vitest';
import { findExpression } from '../../../src/service/agent/find-expression.ts';
import { updateMemory } from '../../../src/service/agent/memory.ts';
import { planCalls, TOOLS } from '../../../src/service/agent/tools.ts';

describe('the first expression of a message', () => {
  test.each([
    ['What is (2 + 3) * 4?', '(2 + 3) * 4'],
    ['What is 2+2.', '2+2'],
    ['What is 2+2 - please', '2+2'],
    ['* 2+3', '2+3'],
    ['1e308*1e308', '1e308*1e308'],
    ['What is 1e308*1e308', '1e308*1e308'],
    ['compute 2.5E-3 * 4, now', '2.5E-3 * 4'],
    ['1 / 0?', '1 / 0'],
    ['2**10', '2**10'],
    ['6 ÷ 3 × 2 − 1', '6 ÷ 3 × 2 − 1'],
    ['I have 3 cats and -(2) + 1 dog', '-(2) + 1'],
    ['version 1.2.3, then 1+1', '1+1'],
  ])('%s', (message, sum) => expect(findExpression(message)).toBe(sum));

  test('an expression that is too long for the calculator is skipped', () => {
    expect(findExpression(`${'1+'.repeat(500)}1 and 2+2`)).toBe('2+2');
  });

  test.each(['Hello', '5', '(((', '555-1234', '2026-01-31', '1/2/2026', '1.2.3', 'a - b', '+', ''])(
    'none in %j',
    (message) => expect(findExpression(message)).toBeUndefined(),
  );
});

// Each of these makes a backtracking pattern start again at every character.
const ATTACKS: Readonly<Record<string, (length: number) => string>> = {
  digits: (length) => '1'.repeat(length),
  minuses: (length) => '-'.repeat(length),
  brackets: (length) => '('.repeat(length),
  'digits and a letter': (length) => `${'1'.repeat(length)}x`,
  'numbers and spaces': (length) => '1 '.repeat(length / 2),
  'points and digits': (length) => '1.'.repeat(length / 2),
  exponents: (length) => '1e'.repeat(length / 2),
  sums: (length) => '1+'.repeat(length / 2),
  dates: (length) => `${'1-'.repeat(length / 2)}x`,
  spaces: (length) => `1${' '.repeat(length)}x`,
  now: (length) => '现在'.repeat(length / 2),
  today: (length) => '今天'.repeat(length / 2),
  zones: (length) => 'what time Aaa'.padEnd(length, 'Aa/'),
  'a long zone': (length) => `what time A${'a'.repeat(length)}`,
  names: (length) => 'My name is '.padEnd(length, "A'"),
  'my name is': (length) => 'my name is '.repeat(length / 11),
  remember: (length) => 'remember '.repeat(length / 9),
  'remember and line feeds': (length) => '记住\n\n\n\n'.repeat(length / 6),
  'one remember and line feeds': (length) => `记住${'\n'.repeat(length)}`,
};

const EMPTY = { turns: 0, facts: [] };
const read = (message: string) => {
  planCalls(message, TOOLS, String);
  updateMemory(EMPTY, message);
};

/** CPU time of one reading in us: the least of several, which other programs on the machine disturb least. */
function cost(message: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const before = process.cpuUsage();
    read(message);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

describe('reading a message takes linear time', () => {
  test.each(Object.entries(ATTACKS))('%s', (_name, attack) => {
    const [small, large] = [attack(100_000), attack(1_000_000)];
    read(small);
    // Ten times the length: linear is 10, quadratic 100. The floor keeps the clock's resolution out of the ratio.
    expect(cost(large) / Math.max(5_000, cost(small))).toBeLessThan(40);
  });
});
