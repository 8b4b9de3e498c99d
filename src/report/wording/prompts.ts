import { formatCount, formatShare } from '../../model/format.ts';
import type { RandomQuantity } from '../../model/keyed-random.ts';
import type { PromptInfo, SourceInfo } from '../../model/prompt-info.ts';
import { oneLine } from '../text-width.ts';

/** Sentences about what prompts are drawn from. */

/** What the prompts of a run are drawn from; one sentence each. */
export function promptLines(prompts: readonly PromptInfo[] = []): string[] {
  return [...prompts.flatMap(promptWords), ...countedWords(prompts)];
}

function promptWords({ name, source, sharedPrefix }: PromptInfo): string[] {
  const about = (words: string) => `Prompt ${oneLine(name)}: ${words}.`;
  const lines = source === undefined ? [] : [about(sourceWords(source))];
  if (sharedPrefix === undefined) return lines;
  const { tokens, hitShare } = sharedPrefix;
  const shared = `a prefix of ${formatCount(tokens)} tokens`;
  const words =
    hitShare === 1
      ? `all requests share ${shared}`
      : `${formatShare(hitShare)} of the requests share ${shared}, the others have one that was not sent before`;
  return [...lines, about(words)];
}

function sourceWords(source: SourceInfo): string {
  switch (source.kind) {
    case 'dataset': {
      const { file, format, order, count, available } = source;
      const used =
        count === available ? formatCount(count) : `${formatCount(count)} of ${formatCount(available)}`;
      return `${used} prompts of ${oneLine(file)} (${format}), ${order === 'shuffle' ? 'shuffled' : 'in their order'}`;
    }
    case 'template':
      return `drawn values of ${source.variables.map(({ name, values }) => `${name} (${formatCount(values)})`).join(', ')}`;
    case 'synthetic': {
      const answer = source.output === undefined ? '' : `, answers limited to ${lengthWords(source.output)}`;
      return `generated text of ${lengthWords(source.input)}${answer}`;
    }
    case 'trace': {
      const { file, requests, inputTokens, outputTokens } = source;
      return `generated text as long as the prompts of ${oneLine(file)} (${formatCount(requests)} requests, ${formatCount(inputTokens / requests)} input and ${formatCount(outputTokens / requests)} output tokens on average)`;
    }
    case 'mix':
      return source.parts
        .map(({ name, share, source: own }) => {
          const drawn = own === undefined ? '' : ` (${sourceWords(own)})`;
          return `${formatShare(share)} ${oneLine(name)}${drawn}`;
        })
        .join(', ');
    default:
      return source satisfies never;
  }
}

function lengthWords({ shape, mean, sd, min, max }: RandomQuantity): string {
  if (shape === 'constant' || sd === 0) return `${formatCount(mean)} tokens`;
  if (shape === 'uniform') return `${min} to ${max} tokens (uniform)`;
  const ends = max === undefined ? '' : `, ${min} to ${max}`;
  return `${formatCount(mean)} tokens on average (${shape}, sd ${formatCount(sd)}${ends})`;
}

function countedWords(prompts: readonly PromptInfo[]): string[] {
  const ways = new Set(prompts.flatMap(({ counted }) => counted ?? []));
  return Array.from(ways, (way) =>
    way === 'tokenizer'
      ? 'Generated text: its tokens are those of the tokenizer (o200k).'
      : `Generated text: its tokens are estimated, ${way} characters each; tokenizer: o200k would count them.`,
  );
}
