import type { UsageEvent } from '../model/events.ts';
import { encodeJson } from './json.ts';

/** Token counts of a payload, unchecked. Undefined and null mean not stated. */
export interface StatedCounts {
  inputTokens?: unknown;
  outputTokens?: unknown;
  reasoningTokens?: unknown;
  cachedInputTokens?: unknown;
  /** Input and output together. Shows whether the output count includes reasoning. */
  totalTokens?: unknown;
  /** The dialect's output count never includes reasoning (Gemini). */
  reasoningOutside?: boolean;
  /** Input written to the cache, if the input count does not include it. */
  cacheWrites?: unknown;
  /** The dialect's input count never includes cached input (Anthropic, Bedrock). */
  cachedOutside?: boolean;
}

const TITLES = {
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  reasoningTokens: 'reasoning tokens',
  cachedInputTokens: 'cached input tokens',
  totalTokens: 'total tokens',
  cacheWrites: 'cache-write tokens',
} as const;

type CountName = keyof typeof TITLES;

const NAMES = Object.keys(TITLES) as CountName[];

/** Larger counts are refused. */
const MAX_TOKENS = 1e9;

const VALUE_CHARS = 40;
/** Refused values that are reported. A stream may state its counts in every chunk. */
const MAX_REFUSED = 5;

/**
 * Collects the token counts of one answer. The last value of each count is used. Checks the counts and normalises them to
 * the event model: output includes reasoning tokens, and input includes cached tokens.
 */
export class UsageCounts {
  private readonly counts: Partial<Record<CountName, number>> = {};
  private readonly refused = new Set<string>();
  private reasoningOutside = false;
  private cachedOutside = false;

  add(stated: StatedCounts): void {
    this.reasoningOutside ||= stated.reasoningOutside === true;
    this.cachedOutside ||= stated.cachedOutside === true;
    for (const name of NAMES) {
      const value = stated[name];
      if (value === undefined || value === null) continue;
      if (isPlausible(value)) this.counts[name] = value;
      else this.refuse(name, value);
    }
  }

  /** The event; undefined without counts. Services that do not count send zeros: that is no usage. */
  event(): UsageEvent | undefined {
    const { inputTokens, outputTokens, reasoningTokens, cachedInputTokens } = this.normal();
    const event: UsageEvent = { type: 'usage' };
    if (inputTokens !== undefined) event.inputTokens = inputTokens;
    if (outputTokens !== undefined) event.outputTokens = outputTokens;
    if (reasoningTokens !== undefined) event.reasoningTokens = reasoningTokens;
    if (cachedInputTokens !== undefined) event.cachedInputTokens = cachedInputTokens;
    if (this.refused.size > 0) event.refused = [...this.refused];
    return inputTokens || outputTokens || event.refused ? event : undefined;
  }

  private normal(): Partial<Record<CountName, number>> {
    const counts = { ...this.counts };
    const { reasoningTokens: reasoning, cachedInputTokens: cached } = counts;
    if (reasoning && this.isOutside()) counts.outputTokens = (counts.outputTokens ?? 0) + reasoning;
    const { outputTokens: output } = counts;
    if (reasoning !== undefined && output !== undefined && reasoning > output) {
      this.refuse('reasoningTokens', `${reasoning} of ${output} output tokens`);
      delete counts.reasoningTokens;
    }
    if (this.cachedOutside && counts.inputTokens !== undefined)
      counts.inputTokens += (cached ?? 0) + (counts.cacheWrites ?? 0);
    const { inputTokens: input } = counts;
    if (cached !== undefined && input !== undefined && cached > input) {
      this.refuse('cachedInputTokens', `${cached} of ${input} input tokens`);
      delete counts.cachedInputTokens;
    }
    return counts;
  }

  // xAI's output count does not include reasoning. The total shows it, also behind a gateway.
  private isOutside(): boolean {
    const { inputTokens = 0, outputTokens = 0, reasoningTokens = 0, totalTokens } = this.counts;
    return this.reasoningOutside || totalTokens === inputTokens + outputTokens + reasoningTokens;
  }

  private refuse(name: CountName, value: unknown): void {
    if (this.refused.size >= MAX_REFUSED) return;
    const text = typeof value === 'object' ? encodeJson(value) : String(value);
    this.refused.add(`${TITLES[name]} ${text.slice(0, VALUE_CHARS)}`);
  }
}

function isPlausible(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS;
}
