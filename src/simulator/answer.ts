import type { ServerResponse } from 'node:http';
import type { Clock } from '../model/clock.ts';
import type { StreamEvent } from '../model/events.ts';
import type { AnswerContext, Dialect } from '../wire/dialect.ts';
import { FRAMINGS } from '../wire/framing/framings.ts';
import type { Scheduled, Scheduler } from './schedule.ts';
import { type Refusal, type Script, type ScriptStep, scriptEvents } from './script.ts';
import type { TruthRecorder } from './truth.ts';

/** The inputs of `playScript`. */
export interface PlayOptions {
  res: ServerResponse;
  script: Script;
  dialect: Dialect;
  context: AnswerContext;
  stream: boolean;
  /** When the request had been read: the script's times count from here. */
  receivedAtMs: number;
  headers: Readonly<Record<string, string>>;
  /** Send the headers with the first chunk, not before. */
  headersWithFirstToken: boolean;
  /** Send a step's frames in one write, not in one write each. */
  together: boolean;
  /** Maximum bytes per write; 0 for no limit. */
  splitBytes: number;
  recorder: TruthRecorder;
  scheduler: Scheduler;
  clock: Clock;
  /** Called once, when the answer has ended, completely or not. */
  onEnd(): void;
}

/** Sends a scripted answer: a stream, a whole answer or an HTTP error. Stops when the client disconnects. */
export function playScript(options: PlayOptions): void {
  const { res, script, recorder, clock, stream, onEnd } = options;
  const stop = script.refusal
    ? refuse(options, script.refusal)
    : stream
      ? playStream(options)
      : playWhole(options);
  // A write to a closed socket emits `error` as well as `close`. Without a listener it would throw.
  res.on('error', () => {});
  const cutOnPurpose = !stream && script.ending === 'truncated';
  res.on('close', () => {
    if (recorder.isOver && (res.writableFinished || cutOnPurpose)) return;
    stop.cancel();
    const first = !recorder.isOver;
    recorder.ended('client_gone', clock.now(), res.headersSent ? res.statusCode : 0);
    if (first) onEnd();
  });
}

function finish({ recorder, clock, script, res, onEnd }: PlayOptions): void {
  recorder.ended(script.ending, clock.now(), res.statusCode);
  onEnd();
}

function playStream(options: PlayOptions): Scheduled {
  const { res, script, dialect, receivedAtMs, scheduler, clock, recorder } = options;
  const encode = dialect.encoder(options.context);
  const framing = FRAMINGS[dialect.framing];
  res.writeHead(200, {
    ...options.headers,
    'content-type': framing.contentType,
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  if (!options.headersWithFirstToken) res.flushHeaders();

  let next = 0;
  let waiting: Scheduled | undefined;
  // Events that the encoder has not written yet, such as the pieces of a tool call.
  let held: StreamEvent[] = [];

  const send = ({ dueMs, events }: ScriptStep): boolean => {
    const carried = events.filter((event) => dialect.carries.has(event.type));
    if (carried.length === 0) return true;
    const frames = carried.flatMap((event) => [...encode(event)]).map((frame) => framing.write(frame));
    held.push(...carried);
    if (frames.length === 0) return true;
    recorder.sent(held, receivedAtMs + dueMs, clock.now());
    held = [];
    let ready = true;
    for (const bytes of options.together ? [joined(frames)] : frames) {
      ready = write(res, bytes, options.splitBytes);
    }
    return ready;
  };

  // HOT PATH: runs for every chunk.
  const pump = (): void => {
    for (;;) {
      const step = script.steps[next];
      if (step === undefined) {
        res.end();
        finish(options);
        return;
      }
      const dueAtMs = receivedAtMs + step.dueMs;
      if (dueAtMs > clock.now()) {
        waiting = scheduler.at(dueAtMs, pump);
        return;
      }
      next++;
      if (!send(step)) {
        res.once('drain', pump);
        return;
      }
    }
  };
  pump();
  return {
    cancel() {
      waiting?.cancel();
      res.off('drain', pump);
    },
  };
}

function joined(frames: readonly (string | Uint8Array)[]): string | Uint8Array {
  return frames.every((frame) => typeof frame === 'string')
    ? frames.join('')
    : Buffer.concat(frames.map((frame) => Buffer.from(frame)));
}

// HOT PATH. Node corks the socket until the end of the tick, to combine writes. Each chunk must reach the kernel when it is
// due, so the socket is uncorked immediately.
function write(res: ServerResponse, bytes: string | Uint8Array, splitBytes: number): boolean {
  if (splitBytes <= 0) {
    const ready = res.write(bytes);
    res.socket?.uncork();
    return ready;
  }
  const buffer = Buffer.from(bytes);
  let ready = true;
  for (let at = 0; at < buffer.length; at += splitBytes) {
    ready = res.write(buffer.subarray(at, at + splitBytes));
    res.socket?.uncork();
  }
  return ready;
}

function playWhole(options: PlayOptions): Scheduled {
  const { res, script, dialect, context, receivedAtMs, scheduler, clock, recorder } = options;
  const dueAtMs = receivedAtMs + script.madeMs;
  return scheduler.at(dueAtMs, () => {
    const events = scriptEvents(script).filter((event) => dialect.carries.has(event.type));
    const { contentType, body } = dialect.encodeWhole(events, context);
    const bytes = Buffer.from(body);
    res.writeHead(200, {
      ...options.headers,
      'content-type': contentType,
      'content-length': String(bytes.length),
    });
    recorder.sent(events, dueAtMs, clock.now());
    if (script.ending === 'truncated') {
      // Half of the announced bytes, then the connection is closed: the only way to truncate a whole answer.
      res.write(bytes.subarray(0, bytes.length >> 1));
      finish(options);
      res.socket?.end();
      return;
    }
    res.end(bytes);
    finish(options);
  });
}

function refuse(options: PlayOptions, { status, message, dueMs }: Refusal): Scheduled {
  const { res, dialect, headers, receivedAtMs, scheduler } = options;
  return scheduler.at(receivedAtMs + dueMs, () => {
    const { contentType, body } = dialect.encodeError(status, message);
    res.writeHead(status, {
      ...headers,
      'content-type': contentType,
      'content-length': String(Buffer.byteLength(body)),
      ...(status === 429 ? { 'retry-after': '1' } : {}),
    });
    res.end(body);
    finish(options);
  });
}
