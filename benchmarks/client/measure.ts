import type { Input } from './input.ts';
import type { Reader } from './readers.ts';

/** What one reader did with one input. */
export interface Speed {
  reader: string;
  /** Events of the input, not of the reader: libraries differ in what they make of a frame. Median of all rounds. */
  eventsPerSecond: number;
  /** Median over the rounds of (events/s of the first reader) / (events/s of this one), taken within a round. */
  firstIsFasterBy: number;
}

/** Rounds and time of a measurement. */
export interface Effort {
  rounds: number;
  /** The least time that a reader works in each round, in ms. */
  minMs: number;
}

/**
 * Speed of several readers on one input. They take turns in each round, so that what slows the machine slows all, and
 * begin with another each time. Rejects when one cannot read the input.
 */
export async function compare(
  readers: readonly Reader[],
  input: Input,
  { rounds, minMs }: Effort,
): Promise<Speed[]> {
  for (const reader of readers) await work(reader, input, minMs);
  const speeds = readers.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < readers.length; turn++) {
      const at = (round + turn) % readers.length;
      speeds[at]!.push(await work(readers[at]!, input, minMs));
    }
  }
  return readers.map(({ name }, i) => ({
    reader: name,
    eventsPerSecond: median(speeds[i]!),
    firstIsFasterBy: median(speeds[i]!.map((speed, round) => speeds[0]![round]! / speed)),
  }));
}

/** Events a second while it works for at least so long. */
async function work(reader: Reader, input: Input, minMs: number): Promise<number> {
  const start = performance.now();
  for (let streams = 1; ; streams++) {
    const result = reader.read(input);
    const events = typeof result === 'number' ? result : await result;
    if (events === 0) throw new Error(`${reader.name} found no event in ${input.dialect}, ${input.source}`);
    const spentMs = performance.now() - start;
    if (spentMs >= minMs) return (streams * input.events * 1000) / spentMs;
  }
}

/** The middle value; the mean of two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
