import type { RandomQuantity } from './keyed-random.ts';
import type { DatasetFormat, DatasetOrder, Prompt } from './prompt.ts';

/** What the requests of a prompt are drawn from, for reports. */
export interface PromptInfo {
  name: string;
  source?: SourceInfo;
  /** Tokens of the prefix that requests share, and the share of requests with it. */
  sharedPrefix?: { tokens: number; hitShare: number };
  /**
   * How the tokens of generated text were counted: by a tokenizer, or as a number of characters for each. Absent without generated
   * text.
   */
  counted?: 'tokenizer' | number;
}

/** A source without its texts. */
export type SourceInfo =
  | {
      kind: 'dataset';
      file: string;
      format: DatasetFormat;
      order: DatasetOrder;
      /** Prompts that are used, and that the file has. */
      count: number;
      available: number;
    }
  | { kind: 'template'; variables: readonly { name: string; values: number }[] }
  | { kind: 'synthetic'; input: RandomQuantity; output?: RandomQuantity }
  | { kind: 'trace'; file: string; requests: number; inputTokens: number; outputTokens: number }
  | { kind: 'mix'; parts: readonly { name: string; share: number; source?: SourceInfo }[] };

/** Describes the prompts that are drawn or have a shared prefix. `hasTokenizer`: the run has a tokenizer. */
export function promptInfos(prompts: readonly Prompt[], hasTokenizer: boolean): PromptInfo[] {
  return prompts
    .filter(({ source, sharedPrefix, length }) => (source || sharedPrefix) && length === undefined)
    .map((prompt): PromptInfo => {
      const { name, sharedPrefix } = prompt;
      const words = sharedPrefix?.wordsPerToken ?? wordsOf(prompt);
      return {
        name,
        source: sourceInfo(prompt),
        sharedPrefix: sharedPrefix && { tokens: sharedPrefix.tokens, hitShare: sharedPrefix.hitShare },
        counted: words === undefined ? undefined : hasTokenizer ? 'tokenizer' : words * CHARS_PER_WORD,
      };
    });
}

/** Characters of a generated word with its space. */
export const CHARS_PER_WORD = 4;

function wordsOf({ source }: Prompt): number | undefined {
  if (source?.kind === 'synthetic' || source?.kind === 'trace') return source.wordsPerToken;
  if (source?.kind !== 'mix') return undefined;
  for (const { prompt } of source.parts) {
    const words = wordsOf(prompt);
    if (words !== undefined) return words;
  }
  return undefined;
}

function sourceInfo({ source }: Prompt): SourceInfo | undefined {
  switch (source?.kind) {
    case undefined:
      return undefined;
    case 'dataset': {
      const { kind, path, format, order, count, available } = source;
      return { kind, file: path.slice(path.lastIndexOf('/') + 1), format, order, count, available };
    }
    case 'template':
      return {
        kind: 'template',
        variables: source.variables.map((variable) => ({
          name: variable.name,
          values: variable.kind === 'list' ? variable.values.length : variable.to - variable.from + 1,
        })),
      };
    case 'synthetic':
      return { kind: 'synthetic', input: source.input, output: source.output };
    case 'trace': {
      const { file, atMs, inputTokens, outputTokens } = source.trace;
      const sum = (tokens: Uint32Array) => tokens.reduce((total, one) => total + one, 0);
      return {
        kind: 'trace',
        file,
        requests: atMs.length,
        inputTokens: sum(inputTokens),
        outputTokens: sum(outputTokens),
      };
    }
    case 'mix': {
      const total = source.parts.reduce((sum, { weight }) => sum + weight, 0);
      const parts = source.parts.map(({ weight, prompt }) => ({
        name: prompt.name,
        share: weight / total,
        source: sourceInfo(prompt),
      }));
      return { kind: 'mix', parts };
    }
    default:
      return source satisfies never;
  }
}
