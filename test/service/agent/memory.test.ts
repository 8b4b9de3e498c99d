import { expect, test } from 'vitest';
import { memoryMessages, readMemory, updateMemory } from '../../../src/service/agent/memory.ts';

test('an agent remembers the user’s name and facts', () => {
  let memory = readMemory(undefined);
  for (const message of [
    'My name is Ada Lovelace and I am here',
    'Please remember that tea is at five.',
    'Hello',
  ]) {
    memory = updateMemory(memory, message);
  }
  expect(memory).toEqual({ turns: 3, facts: ["the user's name is Ada Lovelace", 'tea is at five'] });
  expect(memoryMessages(memory)[0]?.content).toContain('tea is at five');
  expect(memoryMessages(readMemory({ turns: 1 }))).toEqual([]);
});

test('the number of facts is limited', () => {
  let memory = readMemory({ facts: 'broken', turns: -1 });
  for (let i = 0; i < 30; i++) memory = updateMemory(memory, `remember number ${i}`);
  memory = updateMemory(memory, 'remember number 29');
  expect(memory.facts).toHaveLength(20);
  expect(memory.facts.at(-1)).toBe('number 29');
});
