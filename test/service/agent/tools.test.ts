import { describe, expect, test } from 'vitest';
import { planCalls, runCall, TOOLS } from '../../../src/service/agent/tools.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const planned = (message: string) =>
  planCalls(message, TOOLS, (index) => `c${index}`).map(({ name, arguments: args }) => [
    name,
    JSON.parse(args),
  ]);
const run = (name: string, args: string) =>
  runCall({ id: 'c', name, arguments: args }, TOOLS, { clock: new FakeClock() });

describe('calls that a message clearly needs', () => {
  test.each([
    ['What is (2 + 3) * 4?', [['calculator', { expression: '(2 + 3) * 4' }]]],
    ['what time is it in Asia/Shanghai?', [['clock', { timeZone: 'Asia/Shanghai' }]]],
    ['What is 1e308*1e308', [['calculator', { expression: '1e308*1e308' }]]],
    ['现在几点？', [['clock', {}]]],
    ['请问现在是什么时间', [['clock', {}]]],
    ['今天是星期几？', [['clock', {}]]],
    [
      '7 - 5, and what day is it?',
      [
        ['calculator', { expression: '7 - 5' }],
        ['clock', {}],
      ],
    ],
  ])('%s', (message, calls) => expect(planned(message)).toEqual(calls));

  test.each([
    'Hello',
    'My number is 555-1234',
    'since 2026-01-31',
    'in 1/2/2026',
    'I have 3 cats',
    'a - b',
    'version 1.2.3',
    '现在\n时间',
  ])('nothing in %j', (message) => expect(planned(message)).toEqual([]));
});

describe('calls', () => {
  test('return a result', () => {
    expect(run('calculator', '{"expression":"6*7"}')).toEqual({ expression: '6*7', value: 42 });
    expect(run('clock', '{"timeZone":"Asia/Shanghai"}')).toMatchObject({
      iso: '2026-01-01T00:00:00.000Z',
      local: expect.stringContaining('08:00'),
    });
    expect(run('clock', '')).toMatchObject({ timeZone: 'UTC' });
  });

  test('return errors as results', () => {
    expect(run('lookup', '{}')).toEqual({ error: 'there is no tool "lookup"; known: calculator, clock' });
    expect(run('calculator', '{"expression":')).toEqual({ error: 'the arguments are not a JSON object' });
    expect(run('calculator', '{}')).toEqual({ error: '"expression" is not a string' });
    expect(run('calculator', '{"expression":"1/0"}')).toEqual({
      error: 'the expression has no finite value',
    });
    expect(run('calculator', '{"expression":"1e308*1e308"}')).toEqual({
      error: 'the expression has no finite value',
    });
    expect(run('clock', '{"timeZone":"Nowhere/City"}')).toEqual({
      error: 'there is no time zone "Nowhere/City"',
    });
  });
});
