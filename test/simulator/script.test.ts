import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isContent, type UsageEvent } from '../../src/model/events.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import { PROFILES, type Profile, type StreamMode } from '../../src/simulator/profile.ts';
import { makeScript, type Script, scriptEvents } from '../../src/simulator/script.ts';
import { gather } from '../../src/wire/whole-answer.ts';

const standard = PROFILES.default!;

function ask(text: string, more: Partial<ChatRequest> = {}): ChatRequest {
  return { model: 'm', stream: true, messages: [{ role: 'user', content: text }], ...more };
}

function profile(more: Partial<Profile> = {}): Profile {
  return { ...standard, tokens: { shape: 'normal', mean: 40, sd: 10, min: 2 }, ...more };
}

function contentSteps(script: Script) {
  return script.steps.filter(({ events }) => events.some(isContent));
}

const anyProfile = fc.record({
  mode: fc.constantFrom<StreamMode>('real', 'burst', 'replay', 'coarse'),
  thinking: fc.integer({ min: 0, max: 30 }),
  tools: fc.boolean(),
  chunkTokens: fc.integer({ min: 1, max: 7 }),
  lumpChunks: fc.integer({ min: 1, max: 9 }),
});

describe('makeScript', () => {
  it('has start, content, usage and end, with times that never decrease', () => {
    fc.assert(
      fc.property(
        anyProfile,
        fc.string(),
        fc.nat(1_000),
        fc.nat(20),
        fc.option(fc.integer({ min: 1, max: 60 })),
        (parts, text, seed, ordinal, cap) => {
          const request = ask(text, cap === null ? {} : { maxTokens: cap });
          const script = makeScript(request, profile(parts), seed, ordinal);
          const events = scriptEvents(script);
          expect(events[0]?.type).toBe('start');
          expect(events.slice(-2).map(({ type }) => type)).toEqual(['usage', 'complete']);
          expect(events.filter(isContent).length).toBeGreaterThan(0);
          expect(events.filter(isContent).every((event) => !('text' in event) || event.text !== '')).toBe(
            true,
          );
          const times = script.steps.map(({ dueMs }) => dueMs);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
          expect(times[0]).toBeGreaterThanOrEqual(0);
          const { outputTokens = 0 } = events.at(-2) as UsageEvent;
          expect(outputTokens).toBeLessThanOrEqual(cap ?? Number.POSITIVE_INFINITY);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('counts every token, thinking and tool calls included, whatever the size of the chunks', () => {
    const one = makeScript(ask('hello'), profile({ thinking: 9, tools: true }), 1, 0);
    const many = makeScript(ask('hello'), profile({ thinking: 9, tools: true, chunkTokens: 4 }), 1, 0);
    const usage = gather(scriptEvents(one)).usage!;
    expect(scriptEvents(one).filter(isContent)).toHaveLength(usage.outputTokens!);
    expect(usage.reasoningTokens).toBe(9);
    expect({ ...gather(scriptEvents(many)) }).toEqual({ ...gather(scriptEvents(one)) });
    expect(contentSteps(many).length).toBeLessThan(contentSteps(one).length / 2);
  });

  it('is the same for the same prompt, model, seed and count, and another when one of them changes', () => {
    const base = makeScript(ask('hello'), profile(), 1, 0);
    expect(makeScript(ask('hello'), profile(), 1, 0)).toEqual(base);
    const others = [
      makeScript(ask('hullo'), profile(), 1, 0),
      makeScript(ask('hello', { model: 'other' }), profile(), 1, 0),
      makeScript(ask('hello'), profile(), 0, 0),
      makeScript(ask('hello'), profile(), 1, 1),
    ];
    for (const other of others) expect(other).not.toEqual(base);
  });

  it('has the same text in every mode and timing, streaming or not', () => {
    const text = gather(scriptEvents(makeScript(ask('hello'), profile(), 1, 0))).text;
    const whole = makeScript(ask('hello', { stream: false }), profile({ mode: 'replay' }), 1, 0);
    const slow = makeScript(ask('hello'), profile({ gap: { shape: 'constant', mean: 900, sd: 0 } }), 1, 0);
    expect(gather(scriptEvents(whole)).text).toBe(text);
    expect(gather(scriptEvents(slow)).text).toBe(text);
  });

  it('ends with length at the limit and with stop below it', () => {
    const cut = gather(scriptEvents(makeScript(ask('hello', { maxTokens: 5 }), profile(), 1, 0)));
    expect(cut.complete?.finish).toBe('length');
    expect(cut.usage?.outputTokens).toBe(5);
    expect(gather(scriptEvents(makeScript(ask('hello'), profile(), 1, 0))).complete?.finish).toBe('stop');
  });

  it('uses at most half of the limit for reasoning, so that there is an answer', () => {
    const answer = gather(
      scriptEvents(makeScript(ask('hi', { maxTokens: 10 }), profile({ thinking: 50 }), 1, 0)),
    );
    expect(answer.usage?.reasoningTokens).toBe(5);
    expect(answer.text).not.toBe('');
  });

  it('calls a tool last, with arguments that are JSON', () => {
    const answer = gather(scriptEvents(makeScript(ask('hello'), profile({ tools: true }), 1, 0)));
    expect(answer.complete?.finish).toBe('tool_calls');
    expect(answer.calls).toHaveLength(1);
    expect(JSON.parse(answer.calls[0]!.arguments)).toEqual({ query: 'streaming', limit: 3 });
  });

  it('answers in the language of the prompt', () => {
    const said = (text: string) => gather(scriptEvents(makeScript(ask(text), profile(), 1, 0))).text;
    expect(said('请介绍机器学习的基本概念')).toMatch(/^[\p{Script=Han},。!🙂]+$/u);
    expect(said('機械学習とは何ですか')).toMatch(/\p{Script=Hiragana}/u);
    expect(said('что такое обучение')).toMatch(/\p{Script=Cyrillic}/u);
    expect(said('what is learning')).toMatch(/^[A-Z][a-z]+ /);
  });

  it('gives short prompts short answers with tokens: by-prompt', () => {
    const length = (text: string) =>
      gather(scriptEvents(makeScript(ask(text), profile({ tokens: 'by-prompt' }), 1, 0))).usage!
        .outputTokens!;
    expect(length('你好')).toBeLessThan(60);
    expect(length('x'.repeat(100))).toBeGreaterThan(length('hi'));
    expect(length('x'.repeat(500))).toBeGreaterThan(length('x'.repeat(100)));
  });
});

describe('modes', () => {
  const timing = (mode: StreamMode) =>
    contentSteps(makeScript(ask('hello'), profile({ mode, replayGapMs: 10, lumpChunks: 8 }), 1, 0));

  it('real: each chunk when it is made, the last when all is made', () => {
    const steps = timing('real');
    expect(steps.at(-1)!.dueMs).toBe(makeScript(ask('hello'), profile(), 1, 0).madeMs);
    expect(new Set(steps.map(({ dueMs }) => dueMs)).size).toBe(steps.length);
  });

  it('burst: every chunk, one by one, once all is made', () => {
    const { madeMs } = makeScript(ask('hello'), profile(), 1, 0);
    const steps = timing('burst');
    expect(steps.length).toBe(timing('real').length);
    for (const { dueMs } of steps) expect(dueMs).toBe(madeMs);
  });

  it('replay: from when all is made, with a near-constant gap', () => {
    const { madeMs } = makeScript(ask('hello'), profile(), 1, 0);
    const times = timing('replay').map(({ dueMs }) => dueMs);
    expect(times[0]).toBeGreaterThanOrEqual(madeMs);
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    for (const gap of gaps) expect(Math.abs(gap - 10)).toBeLessThanOrEqual(0.4);
  });

  it('coarse: lumps of chunks, each when its last chunk is made', () => {
    const real = timing('real');
    const steps = timing('coarse');
    expect(steps.length).toBe(Math.ceil(real.length / 8));
    expect(steps[0]!.events).toHaveLength(8);
    expect(steps[0]!.dueMs).toBe(real[7]!.dueMs);
    expect(steps.flatMap(({ events }) => events)).toEqual(real.flatMap(({ events }) => events));
  });

  it('take no longer to make a whole answer', () => {
    const made = (mode: StreamMode) => makeScript(ask('hello'), profile({ mode }), 1, 0).madeMs;
    expect(new Set((['real', 'burst', 'replay', 'coarse'] as const).map(made)).size).toBe(1);
  });
});

describe('failures', () => {
  const failing = (kind: NonNullable<Profile['error']>['kind'], rate = 1, ordinal = 0) =>
    makeScript(ask('hello'), profile({ error: { rate, kind } }), 1, ordinal);

  it('http: a refusal in place of an answer, 429 at once and 500 after the time to first token', () => {
    expect(failing('http_429')).toMatchObject({
      ending: 'http_error',
      steps: [],
      refusal: { status: 429, dueMs: 0 },
    });
    const { refusal } = failing('http_500');
    expect(refusal?.status).toBe(500);
    expect(refusal?.dueMs).toBe(contentSteps(makeScript(ask('hello'), profile(), 1, 0))[0]!.dueMs);
  });

  it('inband: part of the answer, then an error as the last event', () => {
    const script = failing('inband');
    const types = scriptEvents(script).map(({ type }) => type);
    expect(script.ending).toBe('inband_error');
    expect(types.at(-1)).toBe('error');
    expect(types).not.toContain('complete');
    expect(types.filter((type) => type === 'message_chunk').length).toBeGreaterThan(0);
  });

  it('truncate: the beginning of the answer, without its end', () => {
    const whole = gather(scriptEvents(makeScript(ask('hello'), profile(), 1, 0)));
    const script = failing('truncate');
    const cut = gather(scriptEvents(script));
    expect(script.ending).toBe('truncated');
    expect(cut.complete ?? cut.usage).toBeUndefined();
    expect(cut.text).not.toBe('');
    expect(cut.text.length).toBeLessThan(whole.text.length);
    expect(whole.text.startsWith(cut.text)).toBe(true);
  });

  it('occur at their rate, and do not change successful answers', () => {
    const scripts = Array.from({ length: 500 }, (_, ordinal) => failing('inband', 0.2, ordinal));
    const failed = scripts.filter(({ ending }) => ending === 'inband_error').length;
    expect(Math.abs(failed / 500 - 0.2)).toBeLessThan(0.06);
    const well = scripts.findIndex(({ ending }) => ending === 'complete');
    expect(scripts[well]).toEqual(makeScript(ask('hello'), profile(), 1, well));
  });
});
