import { describe, expect, test } from 'vitest';
import { joinPatches, mergePatch } from '../../src/wire/json.ts';

// The examples of RFC 7396, appendix A, that have an object for target and patch.
describe('the examples of RFC 7396', () => {
  test.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('%s patched with %s', (target, patch, result) => {
    expect(mergePatch(JSON.parse(target), JSON.parse(patch))).toEqual(JSON.parse(result));
  });
});

test('two patches joined do what one after the other does', () => {
  const body = { a: 1, b: { c: 2, d: 3 }, e: 4 };
  const first = { a: null, b: { c: null }, f: 5 };
  const second = { a: 6, b: { d: null }, f: null, e: { g: 7 } };
  const joined = joinPatches(first, second)!;
  expect(mergePatch(body, joined)).toEqual(mergePatch(mergePatch(body, first), second));
  expect(joinPatches(undefined, second)).toBe(second);
  expect(joinPatches(first, undefined)).toBe(first);
});

test('a field that is undefined changes nothing', () => {
  expect(mergePatch({ a: 1 }, { a: undefined, b: undefined })).toStrictEqual({ a: 1 });
  expect(joinPatches({ a: null }, { a: undefined })).toStrictEqual({ a: null });
});

test('a key named __proto__ stays a key', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__":{"x":1}}'));
  expect(JSON.stringify(merged)).toBe('{"__proto__":{"x":1}}');
  expect(({} as { x?: number }).x).toBeUndefined();
});
