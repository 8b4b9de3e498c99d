/** One of the parts into which a run is split for several machines. */
export interface Shard {
  /** From 1. */
  number: number;
  /** The number of parts. */
  of: number;
}

/** `2 of 4`. */
export function shardInWords({ number, of }: Shard): string {
  return `${number} of ${of}`;
}

/**
 * A shard's share of `total` items that are dealt out one by one, the first to shard 1. The shares of all shards sum to the
 * total and differ by at most one: 16 over 3 shards are 6, 5 and 5.
 */
export function shareOf(total: number, { number, of }: Shard): number {
  return Math.floor((total - number + of) / of);
}

/**
 * How the items of a block are dealt out: in turns of `period` items, of which each shard takes its share. Open loop: a turn is
 * one request for each shard, so that shard i takes the requests i, i + n, ... of one schedule. Closed loop: a turn is one
 * request for each stream, so that a shard with more streams takes more requests.
 */
export interface Deal {
  shard: Shard;
  period: number;
}

/** The number in the whole block, from 0, of a shard's request with the index `index`, from 0. */
export function wholeNumber({ shard, period }: Deal, index: number): number {
  const own = shareOf(period, shard);
  return Math.floor(index / own) * period + (shard.number - 1) + shard.of * (index % own);
}

/** How many of the first `total` items of a block are a shard's. */
export function dealtTo({ shard, period }: Deal, total: number): number {
  return Math.floor(total / period) * shareOf(period, shard) + shareOf(total % period, shard);
}
