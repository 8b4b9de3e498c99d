import { definedFields } from '../wire/json.ts';
import type { RandomQuantity } from './draws.ts';

/**
 * When an answer leaves, compared with when its tokens are made.
 * - `real`: each chunk as it is made;
 * - `burst`: made whole, then all chunks at once ("generate, then chunk");
 * - `replay`: made whole, then dribbled with a near-constant gap, so that it only looks like a stream;
 * - `coarse`: made as it goes, but flushed in lumps of several chunks, each lump in one write.
 */
export type StreamMode = 'real' | 'burst' | 'replay' | 'coarse';

/** A way to fail. */
export type ErrorKind =
  /** Status 500 after the time to first token. */
  | 'http_500'
  /** Status 429 with `retry-after`, at once. */
  | 'http_429'
  /** An error event after some of the answer, status 200. */
  | 'inband'
  /** The body ends after some of the answer, without finish reason and terminator. */
  | 'truncate';

/** How a simulated model behaves. */
export interface Profile {
  /** One line for lists. */
  title: string;
  /** Milliseconds from the request to the first chunk being made. */
  ttft: RandomQuantity;
  /**
   * Milliseconds to the first chunk of a prompt that is all in the cache. With it the profile plays a cache of prompts by
   * prefix: what is partly known takes a share of both times, and the usage tells the cached tokens. Default: no cache.
   */
  cachedTtft?: RandomQuantity;
  /** Milliseconds from one chunk being made to the next. */
  gap: RandomQuantity;
  /** Tokens of the answer text. `by-prompt`: short prompts get short answers. */
  tokens: RandomQuantity | 'by-prompt';
  /** Tokens a chunk. */
  chunkTokens: number;
  /** Tokens of reasoning before the answer. Default 0. Never more than half of a request's token limit. */
  thinking?: number;
  /** The answer ends with a tool call. Default false. */
  tools?: boolean;
  /** Default `real`. */
  mode?: StreamMode;
  /** Gap of `replay`, in milliseconds. Default 20. */
  replayGapMs?: number;
  /** Chunks in a lump of `coarse`. Default 16. */
  lumpChunks?: number;
  /** Status line and headers leave with the first chunk, not as soon as the request is read. Default false. */
  headersWithFirstToken?: boolean;
  /** The share of requests (0 to 1) that fail, and how. Which ones fail is seeded. Default: none. */
  error?: { rate: number; kind: ErrorKind };
}

/** What a profile leaves open is taken from the built-in profile of that name, or else from `default`. */
export type ProfileInput = Partial<Profile>;

/** Profiles by the name of the model that they answer for. */
export type ProfileTable = Readonly<Record<string, Profile>>;

function lognormal(mean: number, sd: number, min?: number): RandomQuantity {
  return min === undefined ? { shape: 'lognormal', mean, sd } : { shape: 'lognormal', mean, sd, min };
}

function constant(value: number): RandomQuantity {
  return { shape: 'constant', mean: value, sd: 0 };
}

const STANDARD: Profile = {
  title: 'an ordinary chat model',
  ttft: lognormal(300, 60, 50),
  gap: lognormal(20, 6),
  tokens: 'by-prompt',
  chunkTokens: 1,
};

/** The profiles that are always there. A model without a profile of its own answers as `default`. */
export const PROFILES: ProfileTable = {
  default: STANDARD,
  'glm-4-flash': {
    ...STANDARD,
    title: 'a small, fast model',
    ttft: lognormal(180, 35, 60),
    gap: lognormal(12, 4),
  },
  'glm-4.6': {
    ...STANDARD,
    title: 'a large model that thinks before it answers',
    ttft: lognormal(450, 100, 150),
    gap: lognormal(24, 8),
    thinking: 48,
  },
  'gpt-4o-mini': {
    ...STANDARD,
    title: 'a small hosted model with uneven gaps',
    ttft: lognormal(350, 110, 120),
    gap: lognormal(14, 10),
  },
  buffered: { ...STANDARD, title: 'makes the whole answer, then sends every chunk at once', mode: 'burst' },
  replayed: { ...STANDARD, title: 'makes the whole answer, then dribbles it', mode: 'replay' },
  coarse: { ...STANDARD, title: 'streams, but flushes in large lumps', mode: 'coarse' },
  instant: {
    title: 'no waiting at all, for tests and for measuring the measurer',
    ttft: constant(0),
    gap: constant(0),
    tokens: constant(64),
    chunkTokens: 1,
  },
};

/** The built-in profiles with `inputs` added and completed; an input with a built-in's name changes it. */
export function profileTable(inputs: Readonly<Record<string, ProfileInput>> = {}): ProfileTable {
  const standard: Profile = { ...STANDARD, ...definedFields(inputs.default ?? {}) };
  const table: Record<string, Profile> = { ...PROFILES, default: standard };
  for (const [name, input] of Object.entries(inputs)) {
    if (name === 'default') continue;
    const base = Object.hasOwn(PROFILES, name) ? PROFILES[name] : { ...standard, title: name };
    table[name] = { ...base!, ...definedFields(input) };
  }
  return table;
}

/** The profile that answers for a model: its own, that of the name after a vendor's prefix (`zhipu/`), or `default`. */
export function profileFor(model: string | undefined, table: ProfileTable): Profile {
  const name = model === undefined ? undefined : profileName(model, table);
  return table[name ?? 'default']!;
}

/** The name of the profile that a model has to itself, if it has. */
export function profileName(model: string, table: Readonly<Record<string, unknown>>): string | undefined {
  const own = [model, model.slice(model.lastIndexOf('/') + 1)];
  return own.find((candidate) => Object.hasOwn(table, candidate));
}
