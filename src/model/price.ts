/** What a target's tokens cost. Amounts are in units of the currency per million tokens. */
export interface TokenPrice {
  /** Input tokens that came from no cache. */
  input: number;
  /** Output tokens, hidden reasoning included. */
  output: number;
  /** Input tokens from the provider's prefix cache. Default: as `input`. */
  cachedInput?: number;
  /** ISO 4217 code. Default: USD. */
  currency?: string;
}

/** A target and its price. */
export interface TargetPrice extends TokenPrice {
  target: string;
}

/** The currency of a price that names none. */
export const DEFAULT_CURRENCY = 'USD';

/** What the requests of a cell cost, by the token counts of the provider. */
export interface CostReport {
  /** ISO 4217 code. */
  currency: string;
  /** Requests whose token counts the provider reported, failed ones and retried attempts included. */
  requests: number;
  /** Of these, the successful ones. */
  answers: number;
  /** Successful requests without reported token counts; they are not in the costs. */
  unknown: number;
  /** Of all `requests`. */
  total: number;
  /** Mean of all `requests`. */
  perRequest: number;
  /** `total` for each 1,000 of `answers`: failed requests that were charged make it higher. Null without an answer. */
  perThousandAnswers: number | null;
}

/** An amount: `$0.42`, `0.0012 EUR`. Two decimals from 1 on, else two significant digits. */
export function formatMoney(amount: number, currency: string): string {
  const digits =
    amount === 0
      ? '0'
      : amount >= 1
        ? amount.toFixed(2)
        : amount.toFixed(Math.min(12, 1 - Math.floor(Math.log10(amount))));
  return currency === DEFAULT_CURRENCY ? `$${digits}` : `${digits} ${currency}`;
}
