import { describe, expect, test } from 'vitest';
import type { StreamClient } from '../../../src/client/client.ts';
import type { StreamEvent } from '../../../src/model/events.ts';
import type { Message } from '../../../src/model/request.ts';
import { type AnswerPlan, answer } from '../../../src/service/agent/agent.ts';
import { TOOLS } from '../../../src/service/agent/tools.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A model that gives these answers, one after the other, and what it was asked. */
function model(...answers: StreamEvent[][]) {
  const asked: { messages: readonly Message[]; extra?: unknown }[] = [];
  const client = {
    stream(request: { messages: readonly Message[] }) {
      asked.push({ ...request, messages: [...request.messages] });
      return (async function* () {
        yield { type: 'start', id: 'theirs' };
        yield* answers.shift() ?? [];
      })();
    },
  } as unknown as StreamClient;
  return { client, asked };
}

async function run(
  client: StreamClient,
  message: string,
  options: Partial<AnswerPlan> = {},
): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  const plan: AnswerPlan = {
    id: 'a1',
    upstream: { name: 'u', client, model: 'm', offerTools: 'openai' },
    messages: [{ role: 'user', content: message }],
    mode: 'real',
    signal: new AbortController().signal,
    tools: TOOLS,
    maxSteps: 3,
    clock: new FakeClock(),
    ...options,
  };
  for await (const event of answer(plan)) events.push(event);
  return events;
}

const say = (text: string): StreamEvent => ({ type: 'message_chunk', text });
const stop: StreamEvent = { type: 'complete', finish: 'stop' };
const callFor = (expression: string): StreamEvent[] => [
  { type: 'tool_call', index: 0, id: 't1', name: 'calculator', arguments: '' },
  { type: 'tool_call', index: 0, arguments: JSON.stringify({ expression }) },
  { type: 'usage', outputTokens: 5 },
  { type: 'complete', finish: 'tool_calls' },
];

describe('an answer', () => {
  test('without tools is the model’s answer with the service’s id', async () => {
    const { client, asked } = model([say('hi'), { type: 'usage', outputTokens: 1 }, stop]);
    expect(await run(client, '1 + 1', { tools: [] })).toEqual([
      { type: 'start', id: 'a1', model: 'm' },
      say('hi'),
      { type: 'usage', outputTokens: 1 },
      stop,
    ]);
    expect(asked[0]?.extra).toBeUndefined();
  });

  test('runs the tools that its message clearly needs before the first request', async () => {
    const { client, asked } = model([say('20'), stop]);
    const events = await run(client, 'What is (2 + 3) * 4?');
    expect(events.map(({ type }) => type)).toEqual([
      'start',
      'tool_call',
      'tool_result',
      'step_complete',
      'message_chunk',
      'step_complete',
      'complete',
    ]);
    expect(events[2]).toMatchObject({ name: 'calculator', result: { value: 20 } });
    expect(asked[0]?.messages.at(-1)?.content).toContain('"value":20');
  });

  test('runs the tools that the model calls, and sends it the results', async () => {
    const { client, asked } = model(
      [say('let me see'), ...callFor('6*7')],
      [say('42'), { type: 'usage', outputTokens: 9 }, stop],
    );
    const events = await run(client, 'think hard');
    expect(events.filter(({ type }) => type === 'usage' || type === 'complete' || type === 'start')).toEqual([
      { type: 'start', id: 'a1', model: 'm' },
      { type: 'usage', outputTokens: 14 },
      stop,
    ]);
    expect(events).toContainEqual({
      type: 'tool_result',
      id: 't1',
      name: 'calculator',
      result: { expression: '6*7', value: 42 },
    });
    expect(events.filter(({ type }) => type === 'step_complete')).toMatchObject([{ step: 1 }, { step: 2 }]);
    expect(asked[1]?.messages.slice(1).map(({ role }) => role)).toEqual(['assistant', 'system']);
    expect(asked[0]?.extra).toMatchObject({
      tools: [{ type: 'function', function: { name: 'calculator' } }, {}],
    });
  });

  test('gives the calls of several requests distinct indexes', async () => {
    const { client } = model(callFor('1+1'), callFor('2+2'), [say('done'), stop]);
    const events = await run(client, 'what is 3*3?');
    const indexes = events.flatMap((event) => (event.type === 'tool_call' ? [event.index] : []));
    expect(indexes).toEqual([0, 1, 1, 2, 2]);
  });

  test('ends also if the model never stops calling tools', async () => {
    const { client, asked } = model(callFor('1+1'), callFor('1+1'), callFor('1+1'), callFor('1+1'));
    const events = await run(client, 'go', { maxSteps: 2 });
    expect(asked).toHaveLength(2);
    expect(events.at(-1)).toEqual({ type: 'complete', finish: 'tool_calls' });
  });

  test('ends at an error', async () => {
    const failure: StreamEvent = { type: 'error', message: 'overloaded' };
    const { client } = model([say('par'), failure]);
    const events = await run(client, 'go');
    expect(events.at(-1)).toEqual(failure);
  });
});
