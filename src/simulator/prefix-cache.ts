import { fingerprint } from './draws.ts';

/** Characters of a block: about the 16 tokens that inference servers commonly keep together. */
export const BLOCK_CHARS = 64;

/** Blocks that are kept; the oldest make room. */
const CAPACITY = 100_000;

/** A server's cache of prompts by prefix: a block counts as known only where all before it are. */
export class PrefixCache {
  private readonly blocks = new Set<string>();

  /** The share of a prompt, from its beginning, that was asked before of this model. From now on all of it is known. */
  ask(model: string, prompt: string): number {
    let key = model;
    let known = 0;
    let unbroken = true;
    for (let end = BLOCK_CHARS; end <= prompt.length; end += BLOCK_CHARS) {
      key = fingerprint(`${key}\n${prompt.slice(end - BLOCK_CHARS, end)}`);
      unbroken &&= this.blocks.has(key);
      if (unbroken) known = end;
      else this.keep(key);
    }
    return prompt.length === 0 ? 0 : known / prompt.length;
  }

  private keep(key: string): void {
    this.blocks.add(key);
    if (this.blocks.size <= CAPACITY) return;
    const [oldest] = this.blocks;
    this.blocks.delete(oldest!);
  }
}
