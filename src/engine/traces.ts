import { createHash } from 'node:crypto';
import type { TraceContext } from '../model/record.ts';
import { createRandom, type Random } from '../model/seeded-random.ts';
import type { Shard } from '../model/shard.ts';
import type { ThreadIndex } from './executor.ts';

/**
 * A generator of trace contexts: random ids, never all zeros. The same seed, salt and thread give the same sequence; a run's own
 * salt makes its ids differ from those of other runs.
 */
export function createTraces(
  seed: number,
  salt: string,
  { index, shard }: ThreadIndex & { shard?: Shard },
): () => TraceContext {
  const drawn = createHash('sha256')
    .update(`trace:${seed}:${salt}:${shard?.number ?? 0}:${index}`)
    .digest();
  // Three generators of 48 bits of seed: one alone has 2^32 different starts, too few for ids that are unique everywhere.
  const [high, low, span] = [0, 6, 12].map((at) => createRandom(drawn.readUIntBE(at, 6))) as [
    Random,
    Random,
    Random,
  ];
  return () => ({ traceId: idOf(high, low), spanId: idOf(span) });
}

/** 16 hex digits of each generator. */
function idOf(...parts: readonly Random[]): string {
  const id = parts.map((random) => word(random) + word(random)).join('');
  return /[^0]/.test(id) ? id : idOf(...parts);
}

function word(random: Random): string {
  return Math.floor(random.next() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}
