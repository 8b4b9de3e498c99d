import { type CostReport, DEFAULT_CURRENCY, type TokenPrice } from '../model/price.ts';
import type { RequestRecord } from '../model/record.ts';

const MILLION = 1_000_000;

/**
 * The cost of one request in units of the currency; null if the provider did not report its tokens. Counts of a tokenizer or of
 * chunks are not what a provider charges. `cachedInput` is a part of `input`. Surcharges for writing a cache are not known.
 */
export function costOf({ tokens }: Pick<RequestRecord, 'tokens'>, price: TokenPrice): number | null {
  const { input, output, cachedInput = 0, source } = tokens;
  if (source !== 'usage' || input === undefined || output === null || cachedInput > input) return null;
  const { cachedInput: cachedPrice = price.input } = price;
  return ((input - cachedInput) * price.input + cachedInput * cachedPrice + output * price.output) / MILLION;
}

/** Adds up the costs of a cell's requests. */
export interface CostFold {
  /** Adds a record, of any outcome. */
  add(record: RequestRecord): void;
  /** Null if no request has known costs. */
  report(): CostReport | null;
}

/** An empty fold for a cell whose target has this price. */
export function createCostFold(price: TokenPrice): CostFold {
  let [total, requests, answers, unknown] = [0, 0, 0, 0];
  return {
    add(record) {
      const cost = costOf(record, price);
      const isAnswer = record.outcome.kind === 'ok';
      if (cost === null) {
        if (isAnswer) unknown += 1;
        return;
      }
      total += cost;
      requests += 1;
      if (isAnswer) answers += 1;
    },
    report: () =>
      requests === 0
        ? null
        : {
            currency: price.currency ?? DEFAULT_CURRENCY,
            ...{ requests, answers, unknown, total },
            perRequest: total / requests,
            perThousandAnswers: answers === 0 ? null : (1000 * total) / answers,
          },
  };
}
