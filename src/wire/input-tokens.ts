/** Input tokens as APIs count them that leave out what went through their cache (Anthropic, Bedrock). */
export interface InputParts {
  /** Neither read from the cache nor written to it. */
  uncached?: number;
  /** Read from the cache. */
  read?: number;
  /** Written to the cache. */
  written?: number;
}

/** The counts so far with those of a later payload in their place, and all input tokens of the request. */
export function addInput(known: InputParts, stated: InputParts): { parts: InputParts; total?: number } {
  const parts = {
    uncached: stated.uncached ?? known.uncached,
    read: stated.read ?? known.read,
    written: stated.written ?? known.written,
  };
  const { uncached, read = 0, written = 0 } = parts;
  return { parts, total: uncached === undefined ? undefined : uncached + read + written };
}
