import type { QuantityUnit } from '../quantities.ts';

/** Reads the limits of conditions and converts them to the unit of their quantity. */

/** The spellings of each unit, with the factor that converts to it; '' is a bare number. */
const SPELLINGS: Readonly<Record<Exclude<QuantityUnit, 'verdict'>, Readonly<Record<string, number>>>> = {
  ms: { us: 0.001, µs: 0.001, μs: 0.001, ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 },
  '1/s': { '': 1, '/s': 1, '/min': 1 / 60 },
  ratio: { '': 1, '%': 0.01 },
  count: { '': 1 },
  bytes: { '': 1, B: 1, kB: 1e3, KB: 1e3, MB: 1e6, KiB: 1024, MiB: 1024 ** 2 },
};

const EXAMPLES: Readonly<Record<QuantityUnit, string>> = {
  ms: '800ms, 2s, 1m30s (us, ms, s, m, h)',
  '1/s': '40 or 40/s (/s, /min)',
  ratio: '1% or 0.01',
  count: 'a bare number such as 5',
  bytes: '2000, 20kB, 2MB (B, kB, MB, KiB, MiB)',
  verdict: 'a word',
};

/** A limit, or its problem. `offset` counts characters from the start of the limit. */
export type LimitResult = { value: number } | { problem: string; hint: string; offset: number };

const PART = /(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)\s*([^\d\s.]*)\s*/y;

/** Reads a number with its unit. Time goes to ms, rates to a second, shares to 0..1, sizes to bytes. */
export function readLimit(text: string, unit: Exclude<QuantityUnit, 'verdict'>): LimitResult {
  const hint = `write ${EXAMPLES[unit]}`;
  let value = 0;
  let parts = 0;
  PART.lastIndex = 0;
  for (let at = 0; at < text.length; at = PART.lastIndex) {
    PART.lastIndex = at;
    const match = PART.exec(text);
    if (!match) return { problem: `"${text.slice(at)}" is not a number`, hint, offset: at };
    const [, amount = '', suffix = ''] = match;
    const factor = Object.hasOwn(SPELLINGS[unit], suffix) ? SPELLINGS[unit][suffix] : undefined;
    if (factor === undefined && !(suffix === '' && Number(amount) === 0)) {
      const offset = at + match[0].indexOf(suffix, amount.length);
      if (suffix !== '') return { problem: `unknown unit "${suffix}"`, hint, offset };
      return {
        problem: `${amount} has no unit`,
        hint: `a time needs a unit: write ${amount}ms or ${amount}s`,
        offset: at,
      };
    }
    parts += 1;
    // Only times are written in several parts (1m30s).
    if (parts > 1 && unit !== 'ms') return { problem: `unexpected "${text.slice(at)}"`, hint, offset: at };
    // "errors.rate < 1" nearly always means 1 %; as a share it would always pass.
    if (unit === 'ratio' && suffix === '' && Number(amount) >= 1) {
      return {
        problem: `${amount} means ${Number(amount) * 100} %`,
        hint: `write ${amount}% for ${amount} per cent`,
        offset: at,
      };
    }
    value += Number(amount) * (factor ?? 0);
  }
  // 95 * 0.01 is slightly above 0.95 in binary: round to twelve digits.
  return parts === 0
    ? { problem: 'the limit is missing', hint, offset: 0 }
    : { value: Number(value.toPrecision(12)) };
}
