import type { StreamClient } from '../../client/client.ts';
import { isContent } from '../../model/events.ts';
import type { Prompt, Target } from '../../model/plan.ts';
import type { Mode, Observation, RequestRecord } from '../../model/record.ts';
import type { ProbeRequest } from '../../report/probe-report.ts';
import { roundRecord } from '../../results/round-record.ts';
import type { Dialect } from '../../wire/dialect.ts';
import { inspector, type WireFacts } from '../../wire/inspect.ts';

/** What the requests of one probe have in common. */
export interface ProbeTurn {
  target: Target;
  prompt: Prompt;
  dialect: Dialect;
  /** A stream that goes on longer than this is ended; in ms, or infinite. */
  forMs: number;
  signal: AbortSignal | undefined;
}

/** Sends one request and tells all that was seen of it, not yet judged. Never rejects. */
export async function probeOnce(
  client: StreamClient,
  turn: ProbeTurn,
  { seq, mode, nonce, length }: { seq: number; mode: Mode; nonce?: string; length?: number },
): Promise<ProbeRequest> {
  const { target, prompt, forMs } = turn;
  const stop = new AbortController();
  let stoppedBy: 'time' | 'interrupt' | undefined;
  const end = (by: 'time' | 'interrupt') => {
    stoppedBy ??= by;
    stop.abort(by === 'time' ? 'stopped: it would have gone on' : 'interrupted');
  };
  const onInterrupt = () => end('interrupt');
  turn.signal?.addEventListener('abort', onInterrupt, { once: true });
  if (turn.signal?.aborted) onInterrupt();
  const timer = Number.isFinite(forMs) ? setTimeout(end, forMs, 'time') : undefined;
  const ask = {
    messages: prompt.messages,
    model: target.model,
    maxTokens: length ?? target.maxTokens ?? prompt.maxTokens,
    nonce,
    signal: stop.signal,
  };
  try {
    const seen =
      mode === 'streaming'
        ? await streamed(client, ask, turn.dialect)
        : { observation: (await client.complete(ask)).observation, arrivals: [], afterTerminator: 0 };
    return { ...toRequest(turn, seq, seen, stoppedBy), ...(length !== undefined && { length }) };
  } finally {
    clearTimeout(timer);
    turn.signal?.removeEventListener('abort', onInterrupt);
  }
}

interface Seen {
  observation: Observation;
  arrivals: readonly [atMs: number, events: number][];
  afterTerminator: number;
  wire?: WireFacts;
}

async function streamed(
  client: StreamClient,
  ask: Parameters<StreamClient['stream']>[0],
  dialect: Dialect,
): Promise<Seen> {
  const wire = inspector(dialect);
  const stream = client.stream({ ...ask, onBytes: (chunk) => wire.push(chunk) });
  const arrivals: [number, number][] = [];
  let lastRead = -1;
  let afterTerminator = 0;
  for await (const event of stream) {
    if (event.type === 'unknown' && event.name === 'after-end') afterTerminator++;
    if (!isContent(event)) continue;
    // Rounded as the record's own times are.
    if (event.read !== lastRead) arrivals.push([Math.round(event.atMs * 1000) / 1000, 0]);
    arrivals.at(-1)![1]++;
    lastRead = event.read;
  }
  const observation = await stream.result;
  // Of a body that was cut, or was no stream, its last lines say nothing.
  return observation.outcome.kind === 'ok'
    ? { observation, arrivals, afterTerminator, wire: wire.end() }
    : { observation, arrivals, afterTerminator };
}

const PREVIEW_CHARS = 200;

function toRequest(
  { target, prompt }: ProbeTurn,
  seq: number,
  { observation, arrivals, afterTerminator, wire }: Seen,
  stoppedBy: 'time' | 'interrupt' | undefined,
): ProbeRequest {
  const { text = '', thinking: _, toolText: __, ...rest } = observation;
  const record: RequestRecord = roundRecord({
    schema: 'streambench/record@1',
    seq,
    round: 0,
    target: target.name,
    prompt: prompt.name,
    concurrency: 1,
    ...rest,
  });
  const { started, end = started } = record.marks;
  // The signal may have come when the request was over by itself.
  const stopped = stoppedBy !== undefined && record.outcome.kind === 'cancelled';
  return {
    record,
    arrivals,
    ...(afterTerminator === 0 ? {} : { afterTerminator }),
    wire,
    ...(text === '' ? {} : { preview: text.slice(0, PREVIEW_CHARS) }),
    ...(stopped ? { stopped: { by: stoppedBy, afterMs: end - started } } : {}),
  };
}
