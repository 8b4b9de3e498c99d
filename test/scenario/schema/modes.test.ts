import { describe, expect, test } from 'vitest';
import { loadFromFlags } from '../../../src/scenario/from-flags.ts';
import { load, problems, userError } from '../helpers.ts';

const scenario = (target: string, modes = '[streaming, non-streaming]') => `version: 1
name: small
targets:
  - { name: t, ${target} }
prompts:
  - { name: short, text: hello }
modes: ${modes}
`;

const URL_ONLY = 'url: "http://127.0.0.1:9/events"';

describe('one whole answer', () => {
  test.each(['sse', 'ndjson', 'raw'])('cannot be asked of a plain endpoint (%s)', (dialect) => {
    for (const modes of ['[streaming, non-streaming]', '[non-streaming]']) {
      const [problem, ...others] = problems(scenario(`${URL_ONLY}, dialect: ${dialect}`, modes));
      expect(others).toEqual([]);
      expect(problem).toMatch(
        /^7:\d+ modes: target "t" \(dialect \w+\) cannot request a non-streaming answer \| omit non-streaming \(--mode streaming\), or add a body that selects the mode, such as .*\{\{stream\}\}/,
      );
    }
    expect(load(scenario(`${URL_ONLY}, dialect: ${dialect}`, '[streaming]')).scenario.modes).toEqual([
      'streaming',
    ]);
  });

  test('can be where the body says so', () => {
    const body = `body: '{"q":"x","stream":{{stream}}}'`;
    expect(() => load(scenario(`${URL_ONLY}, dialect: sse, ${body}`))).not.toThrow();
    expect(() => load(scenario('url: "http://127.0.0.1:9/e?stream={{stream}}", dialect: sse'))).not.toThrow();
    expect(problems(scenario(`${URL_ONLY}, dialect: sse, body: '{"q":"x"}'`))).toHaveLength(1);
  });

  test.each(['ag-ui', 'ai-sdk-ui'])('does not exist in %s', (dialect) => {
    expect(problems(scenario(`${URL_ONLY}, dialect: ${dialect}`))).toEqual([
      expect.stringContaining(`target "t" always streams: ${dialect} has no non-streaming answer`),
    ]);
  });

  test('does not exist in a batch of the service', () => {
    expect(problems(scenario('service: { endpoint: batch }'))).toEqual([
      expect.stringContaining('target "t" always streams: a batch has no non-streaming answer'),
    ]);
    expect(() => load(scenario('service: { endpoint: chat }'))).not.toThrow();
  });

  test('can be requested in every other dialect, and from the simulator in any', () => {
    expect(() => load(scenario(`${URL_ONLY}, dialect: conversation`))).not.toThrow();
    for (const dialect of ['sse', 'ag-ui'])
      expect(() => load(scenario(`provider: simulator, dialect: ${dialect}`))).not.toThrow();
  });

  test('is refused at its flag', () => {
    const flags = { target: 'http://127.0.0.1:9/events', dialect: 'sse', mode: 'both' };
    const [problem] = userError(() => loadFromFlags(flags, { env: {} })).problems;
    expect(problem?.place?.file).toBe('--mode both');
  });
});
