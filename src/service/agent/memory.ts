import type { Message } from '../../model/request.ts';
import { asArray, asCount, asObject, asText } from '../../wire/json.ts';

/** What an agent keeps in mind about a caller, from one chat to the next. */
export interface WorkingMemory {
  /** How many times they have talked. */
  turns: number;
  /** What the caller asked to be remembered, and the caller's name; the newest last. */
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

/** The memory that a stored value stands for; an empty one where it stands for none. */
export function readMemory(stored: unknown): WorkingMemory {
  const value = asObject(stored);
  return {
    turns: asCount(value?.turns) ?? 0,
    facts: (asArray(value?.facts) ?? []).filter((fact) => asText(fact) !== undefined) as string[],
  };
}

/** The memory after a message of the caller's. */
export function remember(memory: WorkingMemory, message: string): WorkingMemory {
  const heard = PATTERNS.flatMap(({ pattern, fact }) => {
    const found = pattern.exec(message)?.[1];
    return found === undefined ? [] : [fact(found).slice(0, MAX_FACT_LENGTH)];
  });
  const facts = [...memory.facts.filter((known) => !heard.includes(known)), ...heard].slice(-MAX_FACTS);
  return { turns: memory.turns + 1, facts };
}

/** What a model is told of the memory before the conversation; nothing when there is nothing to tell. */
export function memoryMessages({ facts }: WorkingMemory): Message[] {
  return facts.length === 0
    ? []
    : [{ role: 'system', content: `Known about the user: ${facts.join('; ')}.` }];
}
