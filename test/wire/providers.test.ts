import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/model/errors.ts';
import { DIALECT_NAMES, getDialect } from '../../src/wire/dialects/index.ts';
import { PROVIDERS, provider } from '../../src/wire/providers.ts';

test('names are unique, and there are at least two dozen', () => {
  const names = PROVIDERS.map((row) => row.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(24);
});

describe.each(PROVIDERS.map((row) => [row.name, row] as const))('%s', (_name, row) => {
  test('has a known dialect and a base URL without a final slash', () => {
    expect(DIALECT_NAMES).toContain(row.dialect);
    if (row.baseUrl === undefined) return;
    expect(row.baseUrl).toMatch(/^https?:\/\/[^/]+.*[^/]$/);
    expect(getDialect(row.dialect).ownsPath(new URL(row.baseUrl).pathname)).toBe(false);
  });

  test('keys are sent to remote hosts over https only', () => {
    if (row.baseUrl?.startsWith('http:')) expect(new URL(row.baseUrl).hostname).toBe('127.0.0.1');
  });
});

test('an unknown name gives near ones', () => {
  expect(() => provider('opnai')).toThrow(UserError);
  expect(() => provider('opnai')).toThrow(/did you mean "openai"/);
  expect(() => getDialect('antropic')).toThrow(/did you mean "anthropic"/);
});
