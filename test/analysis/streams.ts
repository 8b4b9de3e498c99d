import { createVerdictFold } from '../../src/analysis/verdict-fold.ts';
import type { Random } from '../../src/model/random.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { record } from '../metrics/records.ts';

/** Synthetic streams: moments at which chunks are sent, and what a network and a socket make of them. */

/** A stream as its server sends it. Times in ms from the request. */
export interface Sent {
  at: number[];
  /** Characters of each chunk. */
  chars: number;
  hiddenReasoning?: boolean;
  /** How long the same answer takes when it is asked for whole. */
  wholeMs: number;
}

/** One way to answer. Draws what its service is like, then gives one answer at each call. */
export type Service = (random: Random) => () => Sent;

export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.next();
}

/** Between two bounds, evenly on a logarithmic scale. */
export function scale(random: Random, low: number, high: number): number {
  return low * (high / low) ** random.next();
}

/** Log-normal with this median and this deviation of the logarithm. */
export function lognormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * random.normal());
}

/** The record that a client makes of it: a hop of its own delay, and chunks that come within a read's time share it. */
export function received(sent: Sent, random: Random, jitterMs: number): RequestRecord {
  const arrivals: number[] = [];
  let earliest = 0;
  let before = -1;
  for (const at of sent.at) {
    // TCP keeps the order: what is held up holds up what follows. What is written at once travels together.
    if (at !== before) earliest = Math.max(earliest, at + 10 + jitterMs * Math.abs(random.normal()));
    before = at;
    // A lump that is larger than a packet is read in several parts.
    if (arrivals.length % 40 === 39) earliest += 0.2;
    arrivals.push(earliest);
  }
  const gaps: number[] = [];
  let coalesced = 0;
  let read = arrivals[0]!;
  for (const arrival of arrivals.slice(1)) {
    // A read takes all that has come until it happens; those sooner than 50 us are one.
    if (arrival - read < 0.05) coalesced += 1;
    else {
      gaps.push(arrival - read);
      read = arrival;
    }
  }
  const base = record();
  const { sent: sentAt = 0 } = base.marks;
  return record({
    marks: {
      ...base.marks,
      firstToken: sentAt + arrivals[0]!,
      firstAnswer: sentAt + arrivals[0]!,
      lastToken: sentAt + read,
      end: sentAt + read + 1,
    },
    reads: gaps.length + 1,
    contentEvents: arrivals.length,
    coalesced,
    gaps,
    chars: { answer: Math.round(sent.chars * arrivals.length), thinking: 0 },
    tokens: { output: arrivals.length, source: 'usage', ...(sent.hiddenReasoning ? { reasoning: 500 } : {}) },
  });
}

/** Moments of tokens, made one by one after `ttftMs`. `sigma` is the unevenness of the gaps. */
export function tokenTimes(
  random: Random,
  ttftMs: number,
  tokens: number,
  gapMs: number,
  sigma: number,
): number[] {
  const at: number[] = [];
  let now = ttftMs;
  for (let i = 0; i < tokens; i++) {
    at.push(now);
    now += lognormal(random, gapMs, sigma);
  }
  return at;
}

function last(at: readonly number[]): number {
  return at[at.length - 1]!;
}

/** A generator that differs in speed, steadiness and length from service to service and from answer to answer. */
function generator(
  random: Random,
  kind: { ttft: [number, number]; tokens: [number, number]; gap: [number, number]; sigma: [number, number] },
): () => { at: number[]; wholeMs: number } {
  const ttftMs = scale(random, ...kind.ttft);
  const noise = between(random, 0.03, 0.3);
  const tokens = scale(random, ...kind.tokens);
  const lengthNoise = between(random, 0, 0.2);
  const gapMs = scale(random, ...kind.gap);
  const sigma = between(random, ...kind.sigma);
  return () => {
    const length = Math.max(2, Math.round(lognormal(random, tokens, lengthNoise)));
    const at = tokenTimes(random, lognormal(random, ttftMs, noise), length, gapMs, sigma);
    return { at, wholeMs: last(at) };
  };
}

const ORDINARY = {
  ttft: [150, 2000],
  tokens: [30, 500],
  gap: [5, 60],
  sigma: [0.2, 1],
} as const satisfies Kind;
type Kind = {
  ttft: readonly [number, number];
  tokens: readonly [number, number];
  gap: readonly [number, number];
  sigma: readonly [number, number];
};

function real(changes: Partial<Kind>, alter: (sent: Sent, random: Random) => Sent = (sent) => sent): Service {
  const kind = { ...ORDINARY, ...changes } as unknown as Parameters<typeof generator>[1];
  return (random) => {
    const next = generator(random, kind);
    const chars = between(random, 2, 6);
    return () => alter({ ...next(), chars }, random);
  };
}

/** Services that stream. */
export const REAL: Readonly<Record<string, Service>> = {
  'token by token': real({}),
  'steady decode': real({ sigma: [0.02, 0.1] }),
  'steady after long prefill': real({
    sigma: [0.02, 0.1],
    ttft: [1000, 4000],
    tokens: [20, 120],
    gap: [10, 30],
  }),
  'short answers': real({ tokens: [5, 20] }),
  'very fast': real({ ttft: [100, 300], tokens: [16, 400], gap: [1, 3] }),
  uneven: real({ sigma: [1, 1.8] }),
  'large chunks': real({ tokens: [6, 25], gap: [80, 400], sigma: [0.1, 0.6] }, (sent) => ({
    ...sent,
    chars: 60,
  })),
  'pauses for tools': real({}, (sent, random) => {
    const pauses = 1 + random.below(3);
    for (let pause = 0; pause < pauses; pause++) {
      const from = random.below(sent.at.length);
      const ms = scale(random, 500, 8000);
      for (let i = from; i < sent.at.length; i++) sent.at[i]! += ms;
      sent.wholeMs += ms;
    }
    return sent;
  }),
  'silent thinking': real({ ttft: [3000, 30_000], tokens: [40, 400], gap: [8, 40] }, (sent, random) => ({
    ...sent,
    hiddenReasoning: random.next() < 0.7,
  })),
  'queue under load': real({ ttft: [2000, 20_000], tokens: [30, 200], gap: [20, 80], sigma: [0.3, 0.8] }),
};

function generated(random: Random): () => { wholeMs: number; chunks: number } {
  const next = generator(random, {
    ttft: [200, 2000],
    tokens: [60, 800],
    gap: [8, 50],
    sigma: [0.2, 0.5],
  });
  const tokensPerChunk = scale(random, 1, 20);
  return () => {
    const { at, wholeMs } = next();
    return { wholeMs, chunks: Math.max(5, Math.round(at.length / tokensPerChunk)) };
  };
}

/** Services that make the answer first, then send it all. */
export const BUFFERED: Readonly<Record<string, Service>> = {
  'generate, then chunk': (random) => {
    const next = generated(random);
    const perChunkMs = scale(random, 0.01, 0.6);
    return () => {
      const { wholeMs, chunks } = next();
      return {
        at: Array.from({ length: chunks }, (_, i) => wholeMs + (i * perChunkMs * 20) / Math.max(20, chunks)),
        chars: 20,
        wholeMs,
      };
    };
  },
  'proxy holds all': (random) => {
    const next = generated(random);
    return () => {
      const { wholeMs, chunks } = next();
      return { at: new Array<number>(chunks).fill(wholeMs), chars: 5, wholeMs };
    };
  },
  compressor: (random) => {
    const next = generated(random);
    return () => {
      const { wholeMs, chunks } = next();
      // The end of the stream flushes what is left; the rest came a moment before.
      return {
        at: Array.from({ length: chunks }, (_, i) => wholeMs + (i > chunks * 0.7 ? 0.4 : 0)),
        chars: 5,
        wholeMs,
      };
    };
  },
};

/** Services that make the answer first, then dribble it for a good part of the time that it took to make. */
export const REPLAYED: Readonly<Record<string, Service>> = {
  'fixed delay': dribbled([0.3, 3], (random, delay) => delay + Math.abs(0.3 * random.normal())),
  'random delay': dribbled([0.3, 3], (random, delay) => delay * between(random, 0.5, 1.5)),
};

/** The same, with a dribble so short that it hides in the noise of what it took. */
export const BRIEFLY_REPLAYED: Readonly<Record<string, Service>> = {
  'fixed delay, brief': dribbled([0.05, 0.3], (random, delay) => delay + Math.abs(0.3 * random.normal())),
  'random delay, brief': dribbled([0.05, 0.3], (random, delay) => delay * between(random, 0.5, 1.5)),
};

function dribbled([low, high]: [number, number], step: (random: Random, delay: number) => number): Service {
  return (random) => {
    const next = generated(random);
    const { wholeMs: typicalMs, chunks: typicalChunks } = next();
    const delay = (scale(random, low, high) * typicalMs) / typicalChunks;
    return () => {
      const { wholeMs, chunks } = next();
      const at: number[] = [];
      let now = wholeMs;
      for (let i = 0; i < chunks; i++) {
        at.push(now);
        now += step(random, delay);
      }
      return { at, chars: 20, wholeMs };
    };
  };
}

/** Services that stream, but flush seldom. */
export const COARSE: Readonly<Record<string, Service>> = {
  'flushes by time': lumped((random) => {
    const every = scale(random, 250, 1000);
    return (at) => at.map((ms) => Math.ceil(ms / every) * every);
  }),
  'flushes by size': lumped((random) => {
    const lump = 12 + random.below(30);
    return (at) => at.map((_, i) => at[Math.min(at.length - 1, Math.floor(i / lump) * lump + lump - 1)]!);
  }),
};

function lumped(flush: (random: Random) => (at: readonly number[]) => number[]): Service {
  return (random) => {
    const next = generator(random, {
      ttft: [200, 1000],
      tokens: [120, 600],
      gap: [8, 25],
      sigma: [0.2, 0.8],
    });
    const hold = flush(random);
    return () => {
      const { at, wholeMs } = next();
      return { at: hold(at), chars: 4, wholeMs };
    };
  };
}

/** A cell: `streams` answers of one service, and, where it is paired, the median total of as many whole ones. */
export function cell(service: Service, random: Random, streams: number, paired: boolean) {
  const next = service(random);
  const jitterMs = scale(random, 0.05, 2);
  const records = Array.from({ length: streams }, () => received(next(), random, jitterMs));
  const totals = Array.from({ length: streams }, () => next().wholeMs).sort((a, b) => a - b);
  const pairedTotalMs = paired ? totals[Math.ceil(streams / 2) - 1]! + 10 : undefined;
  const fold = createVerdictFold();
  for (const one of records) fold.add(one);
  return { records, pairedTotalMs, result: fold.result(pairedTotalMs) };
}
