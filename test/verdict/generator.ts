import type { Random } from '../../src/model/seeded-random.ts';

/** Timing rules of streams: when a server writes each event. Shared by the simulation and the emitter on the wire. */

/** One answer as its server writes it. Times in ms from the request. */
export interface Sent {
  /** When each event is written, ascending. Events with the same time are written together. */
  at: number[];
  /** Characters of each event. */
  chars: number;
  /** The provider reports reasoning tokens that were not sent. */
  hiddenReasoning?: boolean;
  /** How long the same answer takes when it is asked for whole. */
  wholeMs: number;
}

/** What a request asks for. `tokens`: the length of the answer; default: the service's own choice. */
export interface Ask {
  tokens?: number;
}

/** One way to answer. Draws what its service is like, then gives one answer at each call. */
export type Service = (random: Random) => (ask: Ask) => Sent;

/** A kind of service in the confusion matrix. */
export interface Kind {
  name: string;
  fake: boolean;
  /** Its answers hold too little to tell anything; its row is shown and not counted. */
  tooShort?: true;
  service: Service;
}

/** A range from which a service draws, in ms or tokens. */
export type Range = readonly [low: number, high: number];

/** A model that generates tokens. Each service draws its own speed, steadiness and length. */
export interface Model {
  /** Time to the first token. */
  ttft: Range;
  tokens: Range;
  /** Between tokens. */
  gap: Range;
  /** Unevenness of the gaps: standard deviation of the logarithm. */
  sigma: Range;
  /** Spread of the time to the first token from answer to answer, in the logarithm. */
  noise: Range;
  /** Spread of the length from answer to answer, in the logarithm. */
  lengthNoise: Range;
}

/** A hosted chat model of average speed with answers of a few sentences. */
const ORDINARY: Model = {
  ttft: [150, 700],
  tokens: [80, 250],
  gap: [8, 30],
  sigma: [0.2, 0.8],
  noise: [0.03, 0.25],
  lengthNoise: [0, 0.2],
};

export function between(random: Random, [low, high]: Range): number {
  return low + (high - low) * random.next();
}

/** Between two bounds, evenly on a logarithmic scale. */
export function scale(random: Random, [low, high]: Range): number {
  return low * (high / low) ** random.next();
}

/** Log-normal with this median and this deviation of the logarithm. */
export function lognormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * random.normal());
}

/** Moments of tokens that are made one after the other. */
export function generator(random: Random, changes: Partial<Model> = {}): (ask: Ask) => number[] {
  const model = { ...ORDINARY, ...changes };
  const ttftMs = scale(random, model.ttft);
  const tokens = scale(random, model.tokens);
  const gapMs = scale(random, model.gap);
  const sigma = between(random, model.sigma);
  const noise = between(random, model.noise);
  const lengthNoise = between(random, model.lengthNoise);
  return (ask) => {
    const length = ask.tokens ?? Math.max(1, Math.round(lognormal(random, tokens, lengthNoise)));
    const at = new Array<number>(length);
    let now = lognormal(random, ttftMs, noise);
    for (let i = 0; i < length; i++) {
      at[i] = now;
      now += lognormal(random, gapMs, sigma);
    }
    return at;
  };
}

export function last(at: readonly number[]): number {
  return at[at.length - 1]!;
}
