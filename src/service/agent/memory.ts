import type { Message } from '../../model/request.ts';
import { asArray, asCount, asObject } from '../../wire/json.ts';

/** What an agent stores about a user between chats. */
export interface WorkingMemory {
  /** Number of the user's messages so far. */
  turns: number;
  /** Facts that the user asked to remember, and the user's name; the newest last. */
  facts: readonly string[];
}

const MAX_FACTS = 20;
const MAX_FACT_LENGTH = 200;

const PATTERNS: readonly { pattern: RegExp; fact(found: string): string }[] = [
  {
    pattern: /\b[Mm]y name is (\p{L}[\p{L}\p{M}'’-]*(?: \p{Lu}[\p{L}\p{M}'’-]*)*)/u,
    fact: (name) => `the user's name is ${name}`,
  },
  { pattern: /我叫([\p{L}]{1,10})/u, fact: (name) => `the user's name is ${name}` },
  { pattern: /\b(?:please )?remember(?: that)? ([^.!?\n]+)/i, fact: (text) => text.trim() },
  { pattern: /(?:请)?记住[：:，,]?\s*([^。！？\n]+)/u, fact: (text) => text.trim() },
];

/** The memory in a stored value; an empty one if the value is not a memory. */
export function readMemory(stored: unknown): WorkingMemory {
  const value = asObject(stored);
  return {
    turns: asCount(value?.turns) ?? 0,
    facts: (asArray(value?.facts) ?? []).filter((fact) => typeof fact === 'string'),
  };
}

/** The memory after a message of the user. */
export function updateMemory(memory: WorkingMemory, message: string): WorkingMemory {
  const learned = PATTERNS.flatMap(({ pattern, fact }) => {
    const found = pattern.exec(message)?.[1];
    return found === undefined ? [] : [fact(found).slice(0, MAX_FACT_LENGTH)];
  });
  const facts = [...memory.facts.filter((known) => !learned.includes(known)), ...learned].slice(-MAX_FACTS);
  return { turns: memory.turns + 1, facts };
}

/** The system message with the facts that precedes the conversation; none if there are no facts. */
export function memoryMessages({ facts }: WorkingMemory): Message[] {
  return facts.length === 0
    ? []
    : [{ role: 'system', content: `Known about the user: ${facts.join('; ')}.` }];
}
