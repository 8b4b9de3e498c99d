import { expect, test } from 'vitest';
import { UserError } from '../../src/model/errors.ts';
import { parseOverride } from '../../src/scenario/overrides.ts';
import { yamlSource } from '../../src/scenario/scenario-source.ts';

test.each([
  ['version: 1\ntargets: &a\n  - *a\n', 'targets[0]', 3],
  ['version: 1\nload: &l\n  requests: 3\n  more: { deep: *l }\n', 'load.more.deep', 4],
  ['&top\nversion: 1\nname: *top\n', 'name', 3],
])('an alias inside of its own anchor is an error with its place: %j', (text, path, line) => {
  const found = (() => {
    try {
      return yamlSource(text, 'a.yaml');
    } catch (error) {
      return error;
    }
  })();
  expect(found).toBeInstanceOf(UserError);
  expect(found).toMatchObject({ code: 'scenario_syntax', problems: [{ place: { file: 'a.yaml', line } }] });
  expect(String(found)).toContain(`${path} is an alias of a mapping or list that contains it`);
});

test('an alias of something else stays an alias, also when it is used twice', () => {
  expect(yamlSource('a: &x { n: 1 }\nb: [*x, *x]\n', 'a.yaml').value).toEqual({
    a: { n: 1 },
    b: [{ n: 1 }, { n: 1 }],
  });
});

test('in --set such a value is text', () => {
  expect(parseOverride('name=&a [*a]').value).toBe('&a [*a]');
});
