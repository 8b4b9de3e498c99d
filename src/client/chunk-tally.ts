import type { ChunkKind, KeptChunks } from '../model/chunks.ts';
import type { StreamEvent } from '../model/events.ts';
import type { Observation } from '../model/record.ts';
import { microseconds } from '../model/timeline.ts';

/** Bounds the record of an endless, fast stream: at most 8 MB of arrivals. */
const MAX_CHUNKS = 1_000_000;

/** Keeps the arrival of every chunk of one response. Times in ms from the origin of the marks. */
export class ChunkTally {
  private readonly deltasUs: number[] = [];
  private kinds: KeptChunks['kinds'] = [];
  private leftOut = 0;
  private lastUs: number;
  private readonly maxChunks: number;

  constructor(startedMs: number, maxChunks = MAX_CHUNKS) {
    this.lastUs = microseconds(startedMs);
    this.maxChunks = maxChunks;
  }

  /** The events of one frame. HOT PATH. */
  add(events: readonly StreamEvent[], atMs: number): void {
    this.push(events, atMs, kindOf(events));
  }

  /** Events that the end of the body released: a chunk if they have content. */
  addReleased(events: readonly StreamEvent[], atMs: number): void {
    const kind = kindOf(events);
    if (kind !== 'other') this.push(events, atMs, kind);
  }

  result(): KeptChunks {
    const { deltasUs, kinds, leftOut } = this;
    return leftOut === 0 ? { deltasUs, kinds } : { deltasUs, kinds, leftOut };
  }

  private push(events: readonly StreamEvent[], atMs: number, kind: ChunkKind): void {
    if (events.some(({ type }) => type === 'answer_start')) this.startAnswer();
    if (this.deltasUs.length >= this.maxChunks) {
      this.leftOut++;
      return;
    }
    const atUs = microseconds(atMs);
    this.deltasUs.push(atUs - this.lastUs);
    this.lastUs = atUs;
    addRun(this.kinds, kind, 1);
  }

  /** The text so far was reasoning, not answer. */
  private startAnswer(): void {
    const runs = this.kinds;
    this.kinds = [];
    for (const [kind, count] of runs) addRun(this.kinds, kind === 'answer' ? 'thinking' : kind, count);
  }
}

/** The chunks of a stream that was continued on a second connection. */
export function joinChunks(before: Observation, after: Observation): KeptChunks | undefined {
  const [a, b] = [before.chunks, after.chunks];
  if (a === undefined || b === undefined) return a ?? b;
  if (a.leftOut !== undefined) return { ...a, leftOut: a.leftOut + b.deltasUs.length + (b.leftOut ?? 0) };
  const [firstUs = 0, ...restUs] = b.deltasUs;
  const lastUs = a.deltasUs.reduce((sum, delta) => sum + delta, microseconds(before.marks.started));
  const kinds = a.kinds.map(([kind, count]): KeptChunks['kinds'][number] => [kind, count]);
  for (const [kind, count] of b.kinds) addRun(kinds, kind, count);
  const deltasUs =
    b.deltasUs.length === 0
      ? a.deltasUs
      : [...a.deltasUs, microseconds(after.marks.started) + firstUs - lastUs, ...restUs];
  return { deltasUs, kinds, leftOut: b.leftOut };
}

function addRun(runs: KeptChunks['kinds'], kind: ChunkKind, count: number): void {
  const last = runs.at(-1);
  if (last?.[0] === kind) last[1] += count;
  else runs.push([kind, count]);
}

/** What the events contain: answer text before reasoning, reasoning before tool calls, where they are mixed. */
function kindOf(events: readonly StreamEvent[]): ChunkKind {
  let kind: ChunkKind = 'other';
  for (const { type } of events) {
    if (type === 'message_chunk' || type === 'media') return 'answer';
    if (type === 'thinking') kind = 'thinking';
    else if (kind === 'other' && (type === 'tool_call' || type === 'server_tool_call')) kind = 'tool';
  }
  return kind;
}
