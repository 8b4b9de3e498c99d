import type { ServerResponse } from 'node:http';
import type { Clock } from '../model/clock.ts';
import type { StreamEvent } from '../model/events.ts';
import type { AnswerContext, Dialect } from '../wire/dialect.ts';
import { FRAMINGS } from '../wire/framing/framings.ts';
import type { Scheduled, Scheduler } from './schedule.ts';
import { type Script, type ScriptStep, scriptEvents } from './script.ts';
import type { TruthRecorder } from './truth.ts';

/** All that is needed to play a script to a client. */
export interface PlayOptions {
  res: ServerResponse;
  script: Script;
  dialect: Dialect;
  context: AnswerContext;
  stream: boolean;
  /** When the request had been read: the zero of the script's times. */
  receivedAtMs: number;
  headers: Readonly<Record<string, string>>;
  /** Hold the headers back until there is something to send. */
  headersWithFirstToken: boolean;
  /** A step's frames leave in one write, not in one write each. */
  together: boolean;
  /** Largest number of bytes a write; 0 for no limit. */
  splitBytes: number;
  recorder: TruthRecorder;
  scheduler: Scheduler;
  clock: Clock;
  /** Called once, when the answer has ended in whichever way. */
  onEnd(): void;
}

/** Plays a script: a stream, a whole answer or a refusal. Stops when the client goes away. */
export function playScript(options: PlayOptions): void {
  const { res, script, recorder, clock, stream, onEnd } = options;
  const stop = script.refusal ? refuse(options) : stream ? playStream(options) : playWhole(options);
  // A write that meets a closed socket is reported here as well as by `close`; without a listener it would throw.
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

function over({ recorder, clock, script, res, onEnd }: PlayOptions): void {
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
  // Events that the encoder keeps until it can write them, such as the pieces of a tool call.
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
        over(options);
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

// HOT PATH. Node corks the socket until the end of the tick, to put several writes into one; a stream's chunks have
// to reach the kernel when they are due, each by itself, so the cork is drawn at once.
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
      // Half of what was announced, then the connection is closed: a whole answer has no other way to be cut.
      res.write(bytes.subarray(0, bytes.length >> 1));
      over(options);
      res.socket?.end();
      return;
    }
    res.end(bytes);
    over(options);
  });
}

function refuse(options: PlayOptions): Scheduled {
  const { res, dialect, headers, receivedAtMs, scheduler, script } = options;
  const { status, message, dueMs } = script.refusal!;
  return scheduler.at(receivedAtMs + dueMs, () => {
    const { contentType, body } = dialect.encodeError(status, message);
    res.writeHead(status, {
      ...headers,
      'content-type': contentType,
      'content-length': String(Buffer.byteLength(body)),
      ...(status === 429 ? { 'retry-after': '1' } : {}),
    });
    res.end(body);
    over(options);
  });
}
