import type { StreamClient } from '../../client/client.ts';
import { isContent } from '../../model/events.ts';
import type { Target } from '../../model/plan.ts';
import type { Prompt } from '../../model/prompt.ts';
import type { Mode, Observation, RequestRecord } from '../../model/record.ts';
import type { ProbeRequest } from '../../report/probe-report.ts';
import { roundRecord } from '../../results/round-record.ts';
import type { Dialect } from '../../wire/dialect.ts';
import { inspector, type WireFacts } from '../../wire/inspect.ts';

/** Common to all requests of one probe. */
export interface ProbeTurn {
  target: Target;
  prompt: Prompt;
  dialect: Dialect;
  /** Longer streams are stopped; in ms, may be infinite. */
  forMs: number;
  signal: AbortSignal | undefined;
  onBytes?: (chunk: Uint8Array) => void;
}

/** Sends one request and returns everything observed, without a verdict. Never rejects. */
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
    stop.abort(by === 'time' ? 'stopped: the time limit was reached' : 'interrupted');
  };
  const onInterrupt = () => end('interrupt');
  turn.signal?.addEventListener('abort', onInterrupt, { once: true });
  if (turn.signal?.aborted) onInterrupt();
  const timer = Number.isFinite(forMs) ? setTimeout(end, forMs, 'time') : undefined;
  const request = {
    messages: prompt.messages,
    model: target.model,
    maxTokens: length ?? target.maxTokens ?? prompt.maxTokens,
    nonce,
    signal: stop.signal,
  };
  try {
    const observed =
      mode === 'streaming'
        ? await streamed(client, request, turn)
        : { observation: (await client.complete(request)).observation, arrivals: [], afterTerminator: 0 };
    return { ...toRequest(turn, seq, observed, stoppedBy), length };
  } finally {
    clearTimeout(timer);
    turn.signal?.removeEventListener('abort', onInterrupt);
  }
}

interface Observed {
  observation: Observation;
  arrivals: readonly [atMs: number, events: number][];
  afterTerminator: number;
  wire?: WireFacts;
}

async function streamed(
  client: StreamClient,
  request: Parameters<StreamClient['stream']>[0],
  { dialect, onBytes }: ProbeTurn,
): Promise<Observed> {
  const wire = inspector(dialect);
  const stream = client.stream({
    ...request,
    onBytes(chunk) {
      wire.push(chunk);
      onBytes?.(chunk);
    },
  });
  const arrivals: [number, number][] = [];
  let lastRead = -1;
  let afterTerminator = 0;
  for await (const event of stream) {
    if (event.type === 'unknown' && event.name === 'after-end') afterTerminator++;
    if (!isContent(event)) continue;
    const last = arrivals.at(-1);
    // Rounded like the record's times.
    if (last === undefined || event.read !== lastRead)
      arrivals.push([Math.round(event.atMs * 1000) / 1000, 1]);
    else last[1]++;
    lastRead = event.read;
  }
  const observation = await stream.result;
  // The last lines of a body that was cut or is not a stream are not inspected.
  const facts = observation.outcome.kind === 'ok' ? wire.end() : undefined;
  return { observation, arrivals, afterTerminator, wire: facts };
}

const PREVIEW_CHARS = 200;

function toRequest(
  { target, prompt }: ProbeTurn,
  seq: number,
  { observation, arrivals, afterTerminator, wire }: Observed,
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
  // The signal may have come after the end of the request.
  const stopped = stoppedBy !== undefined && record.outcome.kind === 'cancelled';
  return {
    record,
    arrivals,
    afterTerminator: afterTerminator || undefined,
    wire,
    preview: text.slice(0, PREVIEW_CHARS) || undefined,
    stopped: stopped ? { by: stoppedBy, afterMs: end - started } : undefined,
  };
}
