import { describe, expect, test } from 'vitest';
import { planScenario } from '../../../src/scenario/plan.ts';
import { load, problems, yaml } from '../helpers.ts';

const client = (text: string, rest = '') => yaml(`client: { ${text} }\n${rest}`);

describe('the client of a scenario', () => {
  test('reaches the plan in numbers, with its defaults', () => {
    const text = client(
      'cancel: { share: 10%, after: 20 tokens }, slowReaders: { share: 2.5 %, rate: 2 KB/s }, retries: {}',
    );
    expect(planScenario(load(text)).client).toEqual({
      cancel: { share: 0.1, after: { tokens: 20 } },
      slowReaders: { share: 0.025, bytesPerSecond: 2_000 },
      retries: { max: 3, on: [429, 503, 'connect'], backoffMs: 500, maxWaitMs: 30_000 },
    });
    expect(planScenario(load(yaml())).client).toBeUndefined();
  });

  test('cancels after a time', () => {
    const { client: plan } = planScenario(load(client('cancel: { share: 1%, after: 1.5s }')));
    expect(plan?.cancel?.after).toEqual({ ms: 1_500 });
  });

  test('numbers the requests of a cell through its rounds', () => {
    const { blocks } = planScenario(load(yaml('load: { requests: 10, rounds: 3 }')));
    expect(blocks.map(({ first, requests }) => [first, requests])).toEqual([
      [0, 4],
      [4, 3],
      [7, 3],
    ]);
  });

  test.each([
    ['cancel: { share: 10, after: 20 tokens }', /^10:28 .*a share above 0% and below 100%/],
    ['cancel: { share: 0%, after: 20 tokens }', /a share above 0%/],
    ['cancel: { share: 100%, after: 20 tokens }', /a share above 0%/],
    ['cancel: { share: 10%, after: 0 tokens }', /a number of tokens or a time/],
    ['cancel: { share: 10%, after: -5ms }', /a number of tokens or a time/],
    ['cancel: { share: 10% }', /after/],
    ['slowReaders: { share: 10%, rate: 2 KB }', /a rate such as 2 KB\/s/],
    ['slowReaders: { share: 10%, rate: 0B/s }', /a rate such as 2 KB\/s/],
    ['cancel: { share: 60%, after: 1s }, slowReaders: { share: 40%, rate: 1KB/s }', /add up to 100% or more/],
    ['retries: { max: 0 }', /at least 1/],
    ['retries: { on: [200] }', /a status from 400 to 599, connect or reset/],
    ['retries: { on: [tea] }', /a status from 400 to 599, connect or reset/],
    ['retry: {}', /unknown key client.retry \| known: cancel, slowReaders, retries, resume/],
    ['resume: {}', /no target has streams that can be continued/],
  ])('%s is a problem with a place and a remedy', (text, message) => {
    expect(problems(client(text)).join('\n')).toMatch(message);
  });

  test('a non-streaming answer has no tokens to count', () => {
    const text = client('cancel: { share: 10%, after: 20 tokens }', 'modes: [streaming, non-streaming]');
    expect(problems(text)).toEqual([
      expect.stringMatching(/^10:\d+ .*a non-streaming answer cannot be cancelled .* \| use a time/),
    ]);
  });
});
