import { setImmediate, setTimeout } from 'node:timers/promises';
import { UserError } from '../model/errors.ts';
import type { TokenizerName } from '../model/plan.ts';
import type { RequestRecord } from '../model/record.ts';

// Output tokens come from the provider's usage. Without usage, a tokenizer can count the text where the user enables one. It is an
// optional package, loaded once before the run, and it counts between blocks, when no stream is open: counting while streams are
// read would show up as latency of the server.

/** The package of each tokenizer. */
const PACKAGES: Readonly<Record<TokenizerName, { name: string; module: string }>> = {
  o200k: { name: 'gpt-tokenizer', module: 'gpt-tokenizer/encoding/o200k_base' },
};

/** Counts the tokens of a text. Special tokens in it (`<|endoftext|>`) count as plain text. */
export type CountTokens = (text: string) => number;

/** The used part of a tokenizer's module. */
interface TokenizerModule {
  countTokens(text: string, options: { disallowedSpecial: ReadonlySet<string> }): number;
}

/** Loads a module by its name. */
export type ImportModule = (specifier: string) => Promise<unknown>;

// Through a variable, because the package may not be installed at compile time.
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
      hint: `install it next to streambench: npm install ${source.name}; or remove the tokenizer: chunks are then counted where a provider sends no usage`,
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

// A run of letters, of symbols or of white space is one word to a tokenizer, whose cost grows with the square of a word's length:
// 20,000 Chinese characters took 1.4 s. Words are cut after 400 characters, which may miscount by one token per cut.
const LONG_RUN = /[\p{L}\p{M}]{400}|[^\s\p{L}\p{M}\p{N}]{400}|\s{400}/gu;

/**
 * The record with its output tokens counted from its texts; unchanged where it has the provider's usage or no text. The tokens of
 * the first read are estimated from its share of the events.
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
  /** Keeps a record until `release`. */
  hold(record: RequestRecord): void;
  /** Counts the held records and passes them on in order. Blocks the event loop. */
  release(give: (record: RequestRecord) => unknown): void;
  /** Records that were not counted, because the texts of their block were too long to keep. */
  readonly uncounted: number;
}

/** Limit of held characters: 64 Mi, at most 128 MB. */
const MAX_HELD_CHARS = 64 * 1024 * 1024;

/** Creates a counter. `keepText`: keep the texts in the records. `maxChars`: default 64 Mi; records beyond it are not counted. */
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

/** Counts a block's records and passes them on, when no stream is open. */
export async function countHeld(
  counter: TokenCounter,
  give: (record: RequestRecord) => unknown,
): Promise<void> {
  counter.release(give);
  // The event loop was blocked: let it process closed connections before the next requests are sent.
  await setTimeout(1);
  await setImmediate();
}

/** A warning about answers that were not counted. */
export function uncountedWarnings(counter: TokenCounter | undefined): string[] {
  const { uncounted = 0 } = counter ?? {};
  if (uncounted === 0) return [];
  return [
    `${uncounted} answers were not counted: the texts of a block were too long to keep; their chunks are counted as tokens`,
  ];
}
