import { describe, expect, test } from 'vitest';
import { isTooDeep, MAX_JSON_DEPTH, parseJson, unreadable } from '../../src/wire/json.ts';

const deep = (levels: number) => `${'{"a":['.repeat(levels / 2)}${']}'.repeat(levels / 2)}`;

describe('the depth of JSON', () => {
  test('the limit itself is read, one level more is not', () => {
    expect(parseJson(deep(MAX_JSON_DEPTH))).toBeDefined();
    expect(isTooDeep(`[${deep(MAX_JSON_DEPTH)}]`)).toBe(true);
    expect(parseJson(`[${deep(MAX_JSON_DEPTH)}]`)).toBeUndefined();
  });

  test('what is read can be written and copied', () => {
    const value = parseJson(deep(MAX_JSON_DEPTH));
    expect(JSON.stringify(structuredClone(value))).toBe(deep(MAX_JSON_DEPTH));
  });

  test('brackets in strings do not count, escaped quotes do not end them', () => {
    expect(isTooDeep(JSON.stringify({ text: '[{"\\"'.repeat(5_000) }))).toBe(false);
    expect(isTooDeep(JSON.stringify(['\\', '['.repeat(5_000)]))).toBe(false);
    expect(isTooDeep(`["\\\\",${'['.repeat(2_000)}`)).toBe(true);
  });

  test('many values side by side are not deep', () => {
    expect(isTooDeep(`[${'{"a":[1]},'.repeat(10_000)}{}]`)).toBe(false);
  });

  test('the message names the limit', () => {
    expect(unreadable({ data: deep(10_000) }, 'a JSON object')).toMatchObject({
      type: 'error',
      malformed: true,
      message: expect.stringMatching(/^the JSON is nested deeper than 512 levels: \{"a":\[/),
    });
  });
});
