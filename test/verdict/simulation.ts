import type { RequestRecord } from '../../src/model/record.ts';
import { createRandom, type Random } from '../../src/model/seeded-random.ts';
import { type Kind, scale } from './generator.ts';
import { received, receivedWhole } from './received.ts';

/** All that was measured of one service: what the judge is given. */
export interface Measured {
  streams: readonly RequestRecord[];
  /** The same requests without streaming. */
  whole: readonly RequestRecord[];
  /** Answers of a short and of a long length, by the length that was asked for. */
  lengths: ReadonlyMap<number, readonly RequestRecord[]>;
}

/** How much is measured of each service. */
export interface Extent {
  /** Services that are drawn of each kind. */
  services: number;
  /** Streams of each service. */
  streams: number;
  /** Requests for each length. */
  perLength: number;
}

/** The lengths that `--lengths` asks for in the matrix, in tokens. */
export const LENGTHS = [16, 256] as const;

/** Seconds of work for thousands of streams: no socket and no clock is involved. The same seed gives the same cells. */
export function* simulate(kind: Kind, seed: number, extent: Extent): Generator<Measured> {
  for (let i = 0; i < extent.services; i++) {
    const random = createRandom(seed + i * 7919);
    const ask = kind.service(random);
    const jitterMs = scale(random, [0.05, 1]);
    const list = (count: number, make: (nth: number) => RequestRecord) =>
      Array.from({ length: count }, (_, n) => make(n));
    const stream = (random: Random, tokens: number | undefined, reused: boolean) =>
      received(ask({ tokens }), random, jitterMs, reused);
    // As in a run without warm-up, the first stream has to connect.
    const streams = list(extent.streams, (nth) => stream(random, undefined, nth > 0));
    const whole = list(extent.streams, () => receivedWhole(ask({}), random, jitterMs));
    const lengths = new Map(
      LENGTHS.map((tokens) => [tokens, list(extent.perLength, () => stream(random, tokens, true))]),
    );
    yield { streams, whole, lengths };
  }
}
