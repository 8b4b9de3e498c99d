import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/bench/tokenizer.ts';
import { nonceWords, syntheticText } from '../../src/prompts/synthetic-text.ts';
import { NOT_INSTALLED, PEERS_FOLDER, peersInstalled } from './installed.ts';

// The package is looked for beside the program: here it is in another place.
async function fromPeers(specifier: string): Promise<unknown> {
  const { createRequire } = await import('node:module');
  const require = createRequire(`${PEERS_FOLDER}/package.json`);
  return import(pathToFileURL(require.resolve(specifier)).href);
}

describe.skipIf(!peersInstalled())('gpt-tokenizer', () => {
  it('counts as o200k_base does', async () => {
    const count = await loadTokenizer('o200k', fromPeers);
    expect(['', 'hello world', '你好，世界'].map(count)).toEqual([0, 2, 3]);
    // A special token is text like any other.
    expect(count('<|endoftext|>')).toBeGreaterThan(1);
  });

  it('counts one token for each word of generated text, at any place in it', async () => {
    const count = await loadTokenizer('o200k', fromPeers);
    const corpus = syntheticText(2 ** 15, [], 0);
    expect(new Set(corpus.split(' ')).size).toBe(256);
    expect(count(corpus)).toBe(2 ** 15);
    for (const [words, at] of [
      [8, 3],
      [1000, 32_000],
      [40_000, 77],
    ] as const) {
      expect(count(syntheticText(words, nonceWords('0z9y8x7w'), at))).toBe(words);
    }
  });

  it('stays quick on a text without a break', async () => {
    const count = await loadTokenizer('o200k', fromPeers);
    // Uncut, its cost would be the square of its length: minutes.
    expect(count('好'.repeat(200_000))).toBeGreaterThan(10_000);
  });
});

if (!peersInstalled()) it.skip(`a tokenizer of others: ${NOT_INSTALLED}`, () => {});
