import { expect, test } from 'vitest';
import { targetOptions } from '../../src/client/client-options.ts';
import type { Target } from '../../src/model/plan.ts';

// With every field that a target can have: what is added to the type must be added here.
const TARGET: Required<Target> = {
  name: 't',
  provider: 'custom',
  dialect: 'openai-chat',
  baseUrl: 'http://h/v1',
  path: 'exact',
  model: 'm',
  apiKey: 'k',
  auth: 'bearer',
  headers: { a: 'b' },
  maxTokens: 9,
  requestFields: { usage: 'none' },
  extra: { n: null },
  textPath: 'a.b',
  body: '{}',
  method: 'POST',
  connect: { http: 2 },
};

test('every endpoint field of a target reaches the client', () => {
  // These belong to a request, or to the report.
  const { name: _, provider: _provider, model: _model, maxTokens: _maxTokens, ...rest } = TARGET;
  expect(targetOptions(TARGET)).toEqual(rest);
});
