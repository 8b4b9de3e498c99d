import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Evidence, RequestFacts } from '../../../src/client/outcome/evidence.ts';
import { outcomeOf } from '../../../src/client/outcome/outcome.ts';
import type { Outcome } from '../../../src/model/record.ts';
import { CORPUS, HAS_CORPUS } from '../../wire/corpus.ts';

const REQUEST: RequestFacts = { mode: 'streaming', dialect: 'openai-chat', framing: 'sse', method: 'POST' };

function outcome(evidence: Partial<Omit<Evidence, 'request'>>, request: Partial<RequestFacts> = {}): Outcome {
  const { bodyPrefix = '', ...rest } = evidence;
  return outcomeOf({
    request: { ...REQUEST, ...request },
    ending: { kind: 'eof' },
    status: 200,
    headers: {},
    bytes: bodyPrefix.length,
    bodyPrefix,
    events: 0,
    contentEvents: 0,
    failure: undefined,
    complete: undefined,
    ...rest,
  });
}

describe('an error status', () => {
  test('that names a sent field has a hint how to leave it out, without its value', () => {
    const error = {
      error: { message: "Unknown parameter: 'frequency_penalty'", param: 'frequency_penalty' },
    };
    const body = JSON.stringify({ model: 'm', messages: [{ content: 'a secret' }], frequency_penalty: 0.5 });
    for (const status of [400, 422]) {
      const told = outcome({ status, bodyPrefix: JSON.stringify(error) }, { body });
      expect(told.hint).toContain('extra: { frequency_penalty: null }');
      expect(JSON.stringify(told)).not.toContain('a secret');
    }
    expect(outcome({ status: 400, bodyPrefix: '{"error":"too long"}' }, { body }).hint).toBeUndefined();
  });

  const hint = (status: number, request: Partial<RequestFacts>, more: Partial<Evidence> = {}) =>
    outcome({ status, ...more }, request).hint;

  test('of 404 names what was appended to the URL', () => {
    expect(hint(404, { appendedPath: '/chat/completions' })).toMatch(/\/chat\/completions .*--exact-url/);
    expect(hint(404, { appendedPath: '' })).toBe("check the URL's path, the dialect and the model's name");
    const unknown = JSON.stringify({ error: { message: 'The model `gpt` does not exist' } });
    expect(hint(404, { appendedPath: '/chat/completions' }, { bodyPrefix: unknown })).toBe(
      "check the model's name",
    );
  });

  test('of 404 or 405 to a guessed GET names --method POST', () => {
    for (const status of [404, 405]) {
      expect(hint(status, { method: 'GET', methodGuessed: true })).toContain('--method POST');
      expect(hint(status, { method: 'GET', methodGuessed: false }) ?? '').not.toContain('--method POST');
    }
    expect(hint(405, { method: 'GET' }, { headers: { allow: 'POST, OPTIONS' } })).toBe(
      'the endpoint accepts POST according to its allow header: add --method POST',
    );
    expect(hint(405, { method: 'POST' }, { headers: { allow: 'get' } })).toContain('add --method GET');
    expect(hint(405, { method: 'POST' }, { headers: { allow: 'POST' } })).toBeUndefined();
  });

  test('with a rate limit in its text is a rate limit', () => {
    const body = JSON.stringify({ error: { code: '1302', message: 'too many at once' } });
    expect(outcome({ status: 400, bodyPrefix: body })).toMatchObject({
      kind: 'rate_limited',
      status: 400,
      code: '1302',
    });
    // An overload is not the caller's doing.
    const overloaded = JSON.stringify({
      type: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
    });
    expect(outcome({ status: 529, bodyPrefix: overloaded })).toMatchObject({
      kind: 'http_error',
      code: 'overloaded_error',
    });
  });

  test.runIf(HAS_CORPUS)('as services have sent it has its message and its code', () => {
    const rows = readFileSync(`${CORPUS}/errors/ERRORS.tsv`, 'utf8').trim().split('\n').slice(1);
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      const [file = '', , statusText] = row.split('\t');
      const status = Number(statusText);
      const bodyPrefix = readFileSync(`${CORPUS}/errors/${file}`, 'utf8');
      const told = outcome({ status, bodyPrefix, headers: { 'content-type': 'application/json' } });
      expect(told.kind, file).toBe(status === 429 ? 'rate_limited' : 'http_error');
      expect(told.message?.length, file).toBeGreaterThan(`HTTP ${status}: `.length);
      expect(told.message, file).not.toMatch(/undefined|\{/);
      const { code } = told;
      if (/"(code|type|error_type)": *"?(?!error")\w/.test(bodyPrefix)) expect(code, file).toBeDefined();
    }
  });
});

describe('an answer without content', () => {
  const complete = { type: 'complete', finish: 'length', raw: 'max_tokens' } as const;
  const bodyPrefix = 'data: {"choices":[]}\n\n';

  test('that reached the token limit has a hint which limit to raise', () => {
    expect(outcome({ complete, events: 3, bodyPrefix, hiddenReasoning: 64 })).toEqual({
      kind: 'empty',
      message:
        'the answer ended properly (max_tokens) but had no content, after 64 reasoning tokens that were not sent',
      hint: "raise max tokens (the prompt's maxTokens), or have the model reason less",
    });
    expect(outcome({ complete, events: 3, bodyPrefix }).message).toBe(
      'the answer ended properly (max_tokens) but had no content, at the token limit',
    );
  });

  test('that stopped without content has no hint', () => {
    const stopped = { type: 'complete', finish: 'stop' } as const;
    expect(outcome({ complete: stopped, events: 3, bodyPrefix })).toEqual({
      kind: 'empty',
      message: 'the answer ended properly (stop) but had no content',
    });
  });
});

describe('a lost connection', () => {
  const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  const ending = { kind: 'error', error } as const;

  test('after the finish reason', () => {
    const cutAfter = { type: 'complete', finish: 'stop', raw: 'stop' } as const;
    expect(outcome({ ending, cutAfter, bytes: 9, contentEvents: 2 })).toEqual({
      kind: 'truncated',
      code: 'ECONNRESET',
      message:
        'the connection was lost (read ECONNRESET) after the finish reason, before the terminator, after 2 content events',
    });
    const idle = { kind: 'timeout', phase: 'idle', limitMs: 2000 } as const;
    expect(outcome({ ending: idle, cutAfter, bytes: 9, contentEvents: 2 }).message).toBe(
      'no data for 2 s after the finish reason, before the terminator',
    );
  });

  test('before the finish reason, and where a dialect has none', () => {
    expect(outcome({ ending, bytes: 9, contentEvents: 1 }).message).toBe(
      'the connection was lost (read ECONNRESET) with neither terminator nor finish reason, after 1 content event',
    );
    expect(outcome({ ending, bytes: 9, contentEvents: 1 }, { dialect: 'raw', framing: 'raw' }).message).toBe(
      'the connection was lost (read ECONNRESET), after 1 content event',
    );
  });
});
