import { NOT_INSTALLED, peersInstalled } from '../../test/peers/installed.ts';
import { inputs } from './input.ts';
import { type LongEvent, longEvents } from './long-event.ts';
import { compare, type Effort, type Speed } from './measure.ts';
import { type Held, heldMemory } from './memory.ts';
import { floor, floorAndJson, ours, type Reader } from './readers.ts';

/** What to measure of one dialect. */
export interface Task extends Effort {
  dialect: string;
  /** Bytes of a read; 0: an event a read. */
  readBytes: number;
  /** Folder of recorded streams; it need not be there. */
  corpus: string;
  /** Folder of the client libraries. */
  peers: string;
}

/** Speeds of all readers on one stream. */
export interface Row {
  dialect: string;
  source: string;
  events: number;
  bytes: number;
  speeds: Speed[];
}

/** All that was measured of one dialect. */
export interface Result {
  rows: Row[];
  held: Held[];
  long: LongEvent[];
  remarks: string[];
}

const LONG_EVENTS = new Set([
  'openai-chat',
  'openai-responses',
  'anthropic',
  'gemini',
  'gemini-array',
  'cohere',
  'ollama-chat',
  'bedrock-converse',
  'ag-ui',
]);

/** Measures one dialect. */
async function measure(task: Task): Promise<Result> {
  const result: Result = { rows: [], held: [], long: [], remarks: [] };
  const libraries = await librariesFor(task, result.remarks);
  for (const input of inputs([task.dialect], task.readBytes, task.corpus)) {
    const others: Reader[] = [floor, floorAndJson];
    for (const library of libraries) {
      // A library may know fewer events than its own provider sends.
      try {
        await library.read(input);
        others.push(library);
      } catch (error) {
        result.remarks.push(`${library.name} cannot read ${task.dialect}, ${input.source}: ${error}`);
      }
    }
    const { dialect, source, events, bytes } = input;
    result.rows.push({
      dialect,
      source,
      events,
      bytes,
      speeds: await compare([ours, ...others], input, task),
    });
    if (source === 'generated') result.held = await heldMemory([ours, floor, ...others.slice(2)], input);
  }
  if (LONG_EVENTS.has(task.dialect)) result.long = await longEvents(task.dialect, task.rounds);
  return result;
}

async function librariesFor({ dialect, peers }: Task, remarks: string[]): Promise<readonly Reader[]> {
  if (peersInstalled(peers)) return (await import('../../test/peers/libraries.ts')).LIBRARIES[dialect] ?? [];
  remarks.push(NOT_INSTALLED);
  return [];
}

// Run by main.ts, in a process of its own: its task is the one argument, its result the one thing that it prints.
process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? ''))));
