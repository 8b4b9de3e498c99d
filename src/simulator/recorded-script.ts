import { bodyOf, type Cassette, type RecordedExchange } from '../cassettes/cassette.ts';
import { recordedEvents } from '../cassettes/recorded-events.ts';
import type { StreamEvent } from '../model/events.ts';
import type { ProfileInput } from './profile.ts';
import type { RecordedScript, ScriptEnding, ScriptStep } from './script.ts';

/** Characters of a recorded error body that are repeated as the message of the error. */
const MESSAGE_CHARS = 500;

/**
 * The answers of a cassette as scripts, so that the simulator can send them in any dialect. Times and content are those of the
 * recording; bytes and headers are the dialect's own. `replay-server.ts` repeats the bytes.
 */
function recordedScripts({ exchanges }: Cassette): RecordedScript[] {
  return exchanges.map(scriptOf);
}

/** A profile that sends the answers of a cassette. */
export function cassetteProfile(name: string, cassette: Cassette): ProfileInput {
  return { title: `recorded: ${name}`, recorded: recordedScripts(cassette) };
}

function scriptOf(exchange: RecordedExchange): RecordedScript {
  const { request, response, reads, end } = exchange;
  const { stream } = request;
  const madeMs = reads.at(-1)?.atMs ?? end.atMs;
  if (response !== undefined && response.status >= 300) {
    const message = bodyOf(exchange).toString('utf8').slice(0, MESSAGE_CHARS);
    const refusal = { status: response.status, message, dueMs: response.atMs };
    return { stream, steps: [], madeMs, ending: 'http_error', refusal };
  }
  const steps = recordedEvents(exchange).map(({ atMs, events }): ScriptStep => ({ dueMs: atMs, events }));
  const all = steps.flatMap(({ events }) => events);
  const ending: ScriptEnding = all.some(({ type }) => type === 'error')
    ? 'inband_error'
    : end.kind === 'cut' || end.kind === 'silent'
      ? 'truncated'
      : 'complete';
  return { stream, steps: inOrder(steps, ending), madeMs, ending };
}

/** `start` first, `complete` last: what an encoder expects, whatever the order in the recorded dialect. */
function inOrder(steps: readonly ScriptStep[], ending: ScriptEnding): ScriptStep[] {
  const all = steps.flatMap(({ events }) => events);
  const [firstMs, lastMs] = [steps[0]?.dueMs ?? 0, steps.at(-1)?.dueMs ?? 0];
  const start: StreamEvent = all.find(({ type }) => type === 'start') ?? { type: 'start' };
  const complete = all.find(({ type }) => type === 'complete');
  const tail: StreamEvent[] =
    ending === 'complete' ? [complete ?? { type: 'complete', finish: 'other' }] : [];
  const content = steps
    .map(({ dueMs, events }) => ({
      dueMs,
      events: events.filter(({ type }) => type !== 'start' && type !== 'complete'),
    }))
    .filter(({ events }) => events.length > 0);
  return [
    { dueMs: firstMs, events: [start] },
    ...content,
    ...tail.map((event) => ({ dueMs: lastMs, events: [event] })),
  ];
}
