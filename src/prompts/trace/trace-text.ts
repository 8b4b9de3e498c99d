import { hashText } from '../../model/keyed-random.ts';
import type { Trace } from '../../model/trace.ts';
import { keyWords, nonceWords, syntheticText } from '../synthetic-text.ts';

/** How the texts of a trace are generated. */
export interface TraceTextOptions {
  /** Words that are generated for a token. */
  wordsPerToken: number;
  /** What the texts depend on beside the trace: equal ids give equal texts only with the same key. */
  key: string;
}

/**
 * The prompt of a trace's request, as long as recorded. With blocks, equal ids give equal texts, in their order, so that two
 * prompts share exactly the blocks at their beginning that they shared when they were recorded. Without blocks the text begins
 * with the words of `nonce`, or of the request's number.
 */
export function traceText(
  { inputTokens, blocks }: Pick<Trace, 'inputTokens' | 'blocks'>,
  number: number,
  { wordsPerToken, key }: TraceTextOptions,
  nonce: string | undefined,
): string {
  const tokens = Math.max(1, inputTokens[number] ?? 1);
  const words = (count: number) => Math.max(1, Math.round(count * wordsPerToken));
  const generated = (name: string, count: number) =>
    syntheticText(words(count), keyWords(`${key} ${name}`), hashText(`${key} ${name}`));
  const start = blocks?.starts[number] ?? 0;
  const end = blocks?.starts[number + 1] ?? start;
  if (blocks === undefined || start === end) {
    const opening = nonce === undefined ? keyWords(`${key} request ${number}`) : nonceWords(nonce);
    return syntheticText(words(tokens), opening, hashText(`${key} ${number}`));
  }
  const texts: string[] = [];
  for (let index = start, left = tokens; index < end; index++, left -= blocks.tokens) {
    texts.push(generated(`block ${blocks.ids[index]}`, Math.min(left, blocks.tokens)));
  }
  return texts.join(' ');
}
