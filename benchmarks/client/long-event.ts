import { getDialect } from '../../src/wire/dialects/index.ts';
import { FRAMINGS } from '../../src/wire/framing/framings.ts';
import { encodeBytes, readFrames } from '../../test/wire/streams.ts';
import { type Input, pieces } from './input.ts';
import { median } from './measure.ts';
import { floorAndJson, ours, type Reader } from './readers.ts';

/** What an event of 1 MB costs, beside one of 100 KB. */
export interface LongEvent {
  dialect: string;
  reader: string;
  smallMs: number;
  largeMs: number;
  /**
   * largeMs / smallMs: 10 where the cost is linear, 100 where it is the square. Memory makes it more than 10 for
   * everyone: 1 MB is beyond what the processor and the young part of the heap keep near.
   */
  ratio: number;
}

const SMALL = 100_000;
const READ_BYTES = 16_384;

/** Decodes one event of 100 KB and one of 1 MB, in reads of 16 KB, by us and by the least that can be done. */
export async function longEvents(dialect: string, rounds: number): Promise<LongEvent[]> {
  const results: LongEvent[] = [];
  for (const reader of [ours, floorAndJson]) results.push(await longEvent(reader, dialect, rounds));
  return results;
}

async function longEvent(reader: Reader, dialect: string, rounds: number): Promise<LongEvent> {
  const small = inputOf(dialect, SMALL);
  const large = inputOf(dialect, SMALL * 10);
  const times = { small: [] as number[], large: [] as number[] };
  for (let round = -2; round < rounds; round++) {
    // As many bytes on each side.
    const smallMs = (await cost(reader, small, 100)) / 100;
    const largeMs = (await cost(reader, large, 10)) / 10;
    if (round < 0) continue;
    times.small.push(smallMs);
    times.large.push(largeMs);
  }
  const smallMs = median(times.small);
  const largeMs = median(times.large);
  return { dialect, reader: reader.name, smallMs, largeMs, ratio: largeMs / smallMs };
}

async function cost(reader: Reader, input: Input, times: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < times; i++) await reader.read(input);
  return performance.now() - start;
}

function inputOf(dialect: string, chars: number): Input {
  const format = getDialect(dialect);
  const events = [
    { type: 'start' },
    { type: 'message_chunk', text: 'abcdefghi '.repeat(chars / 10) },
    { type: 'complete', finish: 'stop' },
  ] as const;
  const bytes = encodeBytes(format, events, { id: 'a', model: 'm', createdSeconds: 0 });
  const sse = readFrames(format, [bytes]).map((frame) => Buffer.from(FRAMINGS.sse.write(frame)));
  const sseReads = pieces(Buffer.concat(sse), READ_BYTES);
  const reads = pieces(bytes, READ_BYTES);
  return { dialect, source: 'generated', reads, events: 3, bytes: bytes.length, sseReads };
}
