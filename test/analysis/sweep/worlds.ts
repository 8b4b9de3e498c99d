import type { Random } from '../../../src/model/seeded-random.ts';

/**
 * Simulated services for the tests of the sweep: `slots` requests are answered at once, the others wait in order of arrival. Time is
 * virtual. What is returned is each request's time to first token, in order of the requests' starts.
 */

/** A simulated service. Times in ms. */
export interface World {
  slots: number;
  /** Draws the time that a request occupies a slot, `at` ms after the start of the sweep. */
  serviceMs(random: Random, at: number): number;
  /** Time to first token of a request that did not wait. */
  ttftMs(random: Random, at: number): number;
  /** Requests that find this many others open are refused. Default: none. */
  refuseAbove?: number;
}

/** One simulated request. */
export interface SimulatedRequest {
  startedAt: number;
  ttftMs: number;
  failed: boolean;
}

/** Waiting and busy slots, as the times at which each slot becomes free. */
class Slots {
  private readonly freeAt: number[];
  constructor(count: number) {
    this.freeAt = new Array(count).fill(Number.NEGATIVE_INFINITY);
  }
  /** Occupies the slot that is free first. Returns when the request begins to be served. */
  take(at: number, serviceMs: number): number {
    let first = 0;
    for (let i = 1; i < this.freeAt.length; i++) if (this.freeAt[i]! < this.freeAt[first]!) first = i;
    const from = Math.max(at, this.freeAt[first]!);
    this.freeAt[first] = from + serviceMs;
    return from;
  }
  busyAt(at: number): number {
    return this.freeAt.filter((time) => time > at).length;
  }
}

/** A closed loop of `streams` streams that all start at once, `from` ms after the start of the sweep. */
export function closedLoop(
  world: World,
  { streams, requests, durationMs = Number.POSITIVE_INFINITY, from, random }: Load & { streams: number },
): SimulatedRequest[] {
  const slots = new Slots(world.slots);
  // The next request of each stream; the earliest arrives first, so the order of arrival is kept.
  const nextAt = Array.from({ length: streams }, () => from);
  const done: SimulatedRequest[] = [];
  while (done.length < requests) {
    let stream = 0;
    for (let i = 1; i < streams; i++) if (nextAt[i]! < nextAt[stream]!) stream = i;
    const at = nextAt[stream]!;
    if (at - from >= durationMs) break;
    const { request, endsAt } = serve(world, slots, at, random);
    done.push(request);
    nextAt[stream] = endsAt;
  }
  return done;
}

/** An open loop: Poisson arrivals at `ratePerSecond`. */
export function openLoop(
  world: World,
  {
    ratePerSecond,
    requests,
    durationMs = Number.POSITIVE_INFINITY,
    from,
    random,
  }: Load & { ratePerSecond: number },
): SimulatedRequest[] {
  const slots = new Slots(world.slots);
  const done: SimulatedRequest[] = [];
  for (let at = from; done.length < requests && at - from < durationMs; ) {
    done.push(serve(world, slots, at, random).request);
    at -= (Math.log(1 - random.next()) * 1000) / ratePerSecond;
  }
  return done;
}

interface Load {
  requests: number;
  durationMs?: number;
  from: number;
  random: Random;
}

function serve(world: World, slots: Slots, at: number, random: Random) {
  if (slots.busyAt(at) >= (world.refuseAbove ?? Number.POSITIVE_INFINITY))
    return { request: { startedAt: at, ttftMs: 0, failed: true }, endsAt: at + 5 };
  const serviceMs = world.serviceMs(random, at);
  const begins = slots.take(at, serviceMs);
  const ttftMs = begins - at + world.ttftMs(random, at);
  return { request: { startedAt: at, ttftMs, failed: false }, endsAt: begins + serviceMs };
}

/** Lognormal with this mean and coefficient of variation. */
export function lognormal(random: Random, mean: number, variation: number): number {
  const sigma = Math.sqrt(Math.log(1 + variation ** 2));
  return mean * Math.exp(sigma * random.normal() - sigma ** 2 / 2);
}
