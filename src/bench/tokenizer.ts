import { setImmediate, setTimeout } from 'node:timers/promises';
import { UserError } from '../model/errors.ts';
import type { TokenizerName } from '../model/plan.ts';
import type { RequestRecord } from '../model/record.ts';

// Output tokens are what the provider's usage says. Where it says nothing, a tokenizer can count the text, when the
// user asks for one: it is an optional package, it is loaded once and before the run, and it counts between blocks,
// when no stream is open. Counting while streams are read would show up as the server's latency.

/** Where each tokenizer comes from. */
const PACKAGES: Readonly<Record<TokenizerName, { name: string; module: string }>> = {
  o200k: { name: 'gpt-tokenizer', module: 'gpt-tokenizer/encoding/o200k_base' },
};

/** Counts the tokens of a text. Special tokens in it (`<|endoftext|>`) count as the text that they are. */
export type CountTokens = (text: string) => number;

/** What is used of a tokenizer's module. */
interface TokenizerModule {
  countTokens(text: string, options: { disallowedSpecial: ReadonlySet<string> }): number;
}

/** Loads a module by its name. */
export type ImportModule = (specifier: string) => Promise<unknown>;

// By a variable, because the package need not be there when this is compiled.
const importModule: ImportModule = (specifier) => import(specifier);

/** Loads a tokenizer: about 0.2 s and 60 MB. Throws a `UserError` (`usage`) where its package is not installed. */
export async function loadTokenizer(
  name: TokenizerName,
  load: ImportModule = importModule,
): Promise<CountTokens> {
  const source = PACKAGES[name];
  let tokenizer: TokenizerModule;
  try {
    tokenizer = (await load(source.module)) as TokenizerModule;
  } catch (error) {
    throw new UserError('usage', {
      message: `the tokenizer "${name}" needs the package ${source.name}, which cannot be loaded: ${(error as Error).message.split('\n', 1)[0]}`,
      hint: `install it beside streambench: npm install ${source.name}; or leave the tokenizer out, and chunks are counted where a provider sends no usage`,
    });
  }
  const options = { disallowedSpecial: new Set<string>() };
  return (text) => {
    let count = 0;
    for (const piece of text.replaceAll(LONG_RUN, '$&\0').split('\0')) {
      if (piece !== '') count += tokenizer.countTokens(piece, options);
    }
    return count;
  };
}

// A run of letters, of signs or of white space is one word to a tokenizer, and a word costs the square of its length:
// 20,000 Chinese characters in a row took 1.4 s. Cut after each 400, which may miscount by a token a cut.
const LONG_RUN = /[\p{L}\p{M}]{400}|[^\s\p{L}\p{M}\p{N}]{400}|\s{400}/gu;

/**
 * The record with its output tokens counted from the kept texts; unchanged where the provider's usage has counted, or
 * where there is no text. Its share that came with the first read goes by events, all that is known of it here.
 */
export function withCountedTokens(record: RequestRecord, count: CountTokens): RequestRecord {
  const { text = '', thinking = '', toolText = '', tokens } = record;
  if (tokens.source !== 'chunks' || text + thinking + toolText === '') return record;
  const reasoning = thinking === '' ? 0 : count(thinking);
  const output = reasoning + (text === '' ? 0 : count(text)) + (toolText === '' ? 0 : count(toolText));
  const counted: RequestRecord['tokens'] = { ...tokens, output, source: 'tokenizer' };
  if (thinking !== '') counted.reasoning ??= reasoning;
  if (tokens.first !== undefined) counted.first = (output * tokens.first) / record.contentEvents;
  return { ...record, tokens: counted };
}

/** Holds the records of a block until they can be counted. */
export interface TokenCounter {
  /** Keeps a record for later. Costs nothing. */
  hold(record: RequestRecord): void;
  /** Counts all that is held and gives it away, in the order in which it came. Blocks while it counts. */
  release(give: (record: RequestRecord) => unknown): void;
  /** Records that went uncounted, because the texts of their block were too long to keep. */
  readonly uncounted: number;
}

/** The most characters that are held at a time: 64 Mi, 128 MB of text at worst. */
const MAX_HELD_CHARS = 64 * 1024 * 1024;

/** Makes a counter. `keepText`: leave the texts in the records. `maxChars`: default 64 Mi; what is beyond goes uncounted. */
export function createTokenCounter(
  count: CountTokens,
  { keepText, maxChars = MAX_HELD_CHARS }: { keepText: boolean; maxChars?: number },
): TokenCounter {
  let held: { record: RequestRecord; counts: boolean }[] = [];
  let chars = 0;
  let uncounted = 0;
  return {
    hold(record) {
      const { text = '', thinking = '', toolText = '' } = record;
      const length = record.tokens.source === 'chunks' ? text.length + thinking.length + toolText.length : 0;
      const counts = chars + length <= maxChars;
      if (counts) chars += length;
      else uncounted++;
      held.push({ record: counts || keepText ? record : withoutTexts(record), counts });
    },
    release(give) {
      const batch = held;
      held = [];
      chars = 0;
      for (const { record, counts } of batch) {
        const counted = counts ? withCountedTokens(record, count) : record;
        give(keepText ? counted : withoutTexts(counted));
      }
    },
    get uncounted() {
      return uncounted;
    },
  };
}

function withoutTexts(record: RequestRecord): RequestRecord {
  const { text: _text, thinking: _thinking, toolText: _toolText, ...rest } = record;
  return rest;
}

/** Counts a block's records and gives them away, when no stream is open. */
export async function countHeld(
  counter: TokenCounter,
  give: (record: RequestRecord) => unknown,
): Promise<void> {
  counter.release(give);
  // Nothing was read while it counted: connections that the other side has closed meanwhile are noticed before the next
  // requests are sent.
  await setTimeout(1);
  await setImmediate();
}

/** Says which answers a run's counter has left out. */
export function uncountedWarnings(counter: TokenCounter | undefined): string[] {
  const { uncounted = 0 } = counter ?? {};
  if (uncounted === 0) return [];
  return [
    `${uncounted} answers went uncounted: the texts of a block were too long to hold; chunks stand in for their tokens`,
  ];
}
