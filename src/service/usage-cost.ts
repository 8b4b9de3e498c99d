import type { UsageEvent } from '../model/events.ts';

/** The price of a model, in US dollars per million tokens. */
export interface Price {
  inputPerMillion: number;
  outputPerMillion: number;
}

/** Token counts of an answer, as stated by the model, and their cost. A value is undefined if it is not known. */
export interface AnswerUsage {
  inputTokens?: number;
  outputTokens?: number;
  /** In US dollars; only if the model has a price and both counts are known. */
  costUsd?: number;
}

/** The usage of an answer. Cached input tokens are counted at the full price. */
export function usageOf(
  { inputTokens, outputTokens }: Pick<UsageEvent, 'inputTokens' | 'outputTokens'>,
  price: Price | undefined,
): AnswerUsage {
  const isPriced = price !== undefined && inputTokens !== undefined && outputTokens !== undefined;
  const costUsd = isPriced
    ? (inputTokens * price.inputPerMillion + outputTokens * price.outputPerMillion) / 1_000_000
    : undefined;
  return { inputTokens, outputTokens, costUsd };
}
