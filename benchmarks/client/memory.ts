import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Input } from './input.ts';
import type { Reader } from './readers.ts';

/** Memory, buffers outside of the heap included, that a reader keeps for each stream that is half read. */
export interface Held {
  dialect: string;
  reader: string;
  kilobytes: number;
}

const STREAMS = 200;

/** Opens many streams, reads half of each and looks at the heap. */
export async function heldMemory(readers: readonly Reader[], input: Input): Promise<Held[]> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  // Buffers are given back a little later than the objects that owned them.
  const settled = async () => {
    for (let i = 0; i < 3; i++) {
      gc();
      await setTimeout(10);
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const results: Held[] = [];
  for (const reader of readers) {
    // What is made once, at the first stream, is no stream's.
    await reader.hold(input);
    const before = await settled();
    const held: unknown[] = [];
    for (let i = 0; i < STREAMS; i++) held.push(await reader.hold(input));
    const bytes = (await settled()) - before;
    results.push({ dialect: input.dialect, reader: reader.name, kilobytes: bytes / STREAMS / 1024 });
    held.length = 0;
  }
  return results;
}
