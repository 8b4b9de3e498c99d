import { expect, test } from 'vitest';
import { PayloadTally, pathsInWords } from '../../src/wire/payload-paths.ts';

test('the path of the text is found among ids and states', () => {
  const tally = new PayloadTally();
  for (let i = 0; i < 30; i++) tally.add(JSON.stringify({ id: 'r1', status: 'thinking', step: i }));
  for (let i = 0; i < 40; i++)
    tally.add(JSON.stringify({ id: 'r1', delta: { parts: [{ text: `word ${i}` }] } }));
  tally.add('[DONE]');
  const facts = tally.result()!;
  expect(facts).toMatchObject({ events: 70, json: 70 });
  expect(facts.paths[0]).toEqual(['delta.parts.0.text', 40]);
  expect(pathsInWords(facts)).toBe('delta.parts.0.text (40 of 70), id (70 of 70), status (30 of 70)');
});

test('an unusual name is found by its values, which change', () => {
  const tally = new PayloadTally();
  for (let i = 0; i < 9; i++) tally.add(JSON.stringify({ model: 'm', zeichen: `${i}` }));
  expect(tally.result()!.paths[0]).toEqual(['zeichen', 9]);
});

test('text is no JSON, and a stream without end takes no more memory', () => {
  const tally = new PayloadTally();
  tally.add('hello');
  expect(tally.result()).toBeUndefined();
  for (let i = 0; i < 1000; i++) tally.add(`{"key${i}":"x"}`);
  expect(tally.result()).toMatchObject({ events: 100 });
  expect(tally.result()!.paths).toHaveLength(6);
});
