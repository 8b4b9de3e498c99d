import type { RandomQuantity } from '../model/keyed-random.ts';
import { definedFields } from '../wire/json.ts';
import type { RecordedScript } from './script.ts';

/**
 * When chunks are sent, relative to when they are generated.
 * - `real`: each chunk when it is generated;
 * - `burst`: the whole answer is generated, then all chunks are sent at once ("generate, then chunk");
 * - `replay`: the whole answer is generated, then sent with nearly constant gaps, so that it looks like a stream;
 * - `coarse`: several chunks in one write, when the last of them is generated.
 */
export type StreamMode = 'real' | 'burst' | 'replay' | 'coarse';

/** How a request fails. */
export type ErrorKind =
  /** Status 500 after the time to first token. */
  | 'http_500'
  /** Status 429 with `retry-after`, immediately. */
  | 'http_429'
  /** Status 200, then an error event after part of the answer. */
  | 'inband'
  /** The body ends after part of the answer, without finish reason and terminator. */
  | 'truncate';

/** The behaviour of a simulated model. */
export interface Profile {
  /** A one-line description. */
  title: string;
  /** Milliseconds from the request until the first chunk is generated. */
  ttft: RandomQuantity;
  /**
   * Milliseconds to the first chunk if the whole prompt is cached. Enables a simulated prefix cache: for a partly cached
   * prompt both times are weighted, and usage reports the cached tokens. Default: no cache.
   */
  cachedTtft?: RandomQuantity;
  /** Milliseconds between the generation of two chunks. */
  gap: RandomQuantity;
  /** Tokens of the answer text. `by-prompt`: short prompts get short answers. */
  tokens: RandomQuantity | 'by-prompt';
  /** Tokens per chunk. */
  chunkTokens: number;
  /** Tokens of reasoning before the answer. Default 0. Never more than half of a request's token limit. */
  thinking?: number;
  /** The answer ends with a tool call. Default false. */
  tools?: boolean;
  /** Default `real`. */
  mode?: StreamMode;
  /** Gap of `replay`, in milliseconds. Default 20. */
  replayGapMs?: number;
  /** Chunks per write of `coarse`. Default 16. */
  lumpChunks?: number;
  /** Send status line and headers with the first chunk, not as soon as the request is read. Default false. */
  headersWithFirstToken?: boolean;
  /**
   * Answers at once. Further requests wait in order of arrival, so the capacity of the profile is known. The slots are shared by
   * all requests for one model. Default: no limit.
   */
  slots?: number;
  /** With `slots`: requests that may wait. Further ones are refused with status 429. Default: no limit. */
  queue?: number;
  /** The share of requests (0 to 1) that fail, and how. Which ones fail is seeded. Default: none. */
  error?: { rate: number; kind: ErrorKind };
  /** Recorded answers, which are sent instead of generated ones: all other fields but `slots` and `queue` are then unused. */
  recorded?: readonly RecordedScript[];
}

/** Missing fields are taken from the built-in profile of the same name, or else from `default`. */
export type ProfileInput = Partial<Profile>;

/** Profiles by model name. */
export type ProfileTable = Readonly<Record<string, Profile> & { default: Profile }>;

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

/** The built-in profiles. A model without a profile uses `default`. */
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

/** The built-in profiles plus `inputs`, completed. An input with the name of a built-in profile changes that profile. */
export function profileTable(inputs: Readonly<Record<string, ProfileInput>> = {}): ProfileTable {
  const standard: Profile = { ...STANDARD, ...definedFields(inputs.default ?? {}) };
  const table: Record<string, Profile> & { default: Profile } = { ...PROFILES, default: standard };
  for (const [name, input] of Object.entries(inputs)) {
    if (name === 'default') continue;
    const base = Object.hasOwn(PROFILES, name) ? PROFILES[name] : undefined;
    table[name] = { ...(base ?? { ...standard, title: name }), ...definedFields(input) };
  }
  return table;
}

/** The profile of a model, by its name or by the name after a vendor prefix (`zhipu/`); else `default`. */
export function profileFor(model: string | undefined, table: ProfileTable): Profile {
  const name = model === undefined ? undefined : profileName(model, table);
  return (name === undefined ? undefined : table[name]) ?? table.default;
}

/** The name of a model's own profile; undefined if it has none. */
export function profileName(model: string, table: Readonly<Record<string, unknown>>): string | undefined {
  const own = [model, model.slice(model.lastIndexOf('/') + 1)];
  return own.find((candidate) => Object.hasOwn(table, candidate));
}
