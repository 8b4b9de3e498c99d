import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { RecordedExchange, RecordedResponse } from '../cassettes/cassette.ts';
import type { Clock } from '../model/clock.ts';
import type { Scheduled, Scheduler } from './schedule.ts';

/** The inputs of `playExchange`. */
interface ExchangePlay {
  res: ServerResponse;
  /** When the request had been read: the recorded times count from here. */
  receivedAtMs: number;
  /** How many times as fast as recorded. */
  speed: number;
  clock: Clock;
  scheduler: Scheduler;
}

/** What is done at one time of a recording. */
interface PlayStep {
  atMs: number;
  /** Returns false if the socket takes no more bytes until it has drained. */
  run(): boolean;
}

/** Sends a recorded response at its recorded times. Stops when the client disconnects. */
export function playExchange(exchange: RecordedExchange, play: ExchangePlay): void {
  const { res, receivedAtMs, speed, clock, scheduler } = play;
  const steps = stepsOf(exchange, res);
  let next = 0;
  let waiting: Scheduled | undefined;
  // HOT PATH: runs for every read.
  const pump = (): void => {
    for (let step = steps[next]; step !== undefined; step = steps[next]) {
      const dueAtMs = receivedAtMs + step.atMs / speed;
      if (dueAtMs > clock.now()) {
        waiting = scheduler.at(dueAtMs, pump);
        return;
      }
      next++;
      if (step.run()) continue;
      res.once('drain', pump);
      return;
    }
  };
  // A write to a closed socket emits `error` as well as `close`. Without a listener it would throw.
  res.on('error', () => {});
  res.on('close', () => {
    waiting?.cancel();
    res.off('drain', pump);
    next = steps.length;
  });
  pump();
}

function stepsOf({ response, reads, end }: RecordedExchange, res: ServerResponse): PlayStep[] {
  const head: PlayStep[] =
    response === undefined
      ? []
      : [{ atMs: response.atMs, run: () => sendHead(response, res, reads[0]?.atMs !== response.atMs) }];
  const body = reads.map(({ atMs, bytes }) => ({
    atMs,
    run() {
      const ready = res.write(bytes);
      // Each read must reach the kernel when it is due: Node corks the socket until the end of the tick.
      res.socket?.uncork();
      return ready;
    },
  }));
  return [...head, ...body, { atMs: end.atMs, run: () => endResponse(end, res) }];
}

// They belong to a connection, not to a response.
const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'te', 'trailer'],
]);

const NOTHING = Buffer.alloc(0);

/** `alone`: the head came in a read of its own. */
function sendHead({ status, headers, protocol }: RecordedResponse, res: ServerResponse, alone: boolean) {
  const sent: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (HOP_BY_HOP.has(name)) continue;
    sent[name] = typeof value === 'string' ? asSent(value) : value.map(asSent);
  }
  res.sendDate = false;
  const hasLength = sent['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (protocol === 'h1' && !hasLength) {
    // The end of the connection was the end of the body.
    res.useChunkedEncodingByDefault = false;
    res.shouldKeepAlive = false;
  }
  res.writeHead(status, sent);
  // Not flushHeaders, which writes them as UTF-8.
  if (alone) {
    res.write(NOTHING);
    res.socket?.uncork();
  }
  return true;
}

/** Node writes one byte per character. HTTP/1.1 was read like that; HTTP/2 may have read UTF-8. */
function asSent(value: string): string {
  const isBytes = [...value].every((character) => (character.codePointAt(0) ?? 0) <= 0xff);
  return isBytes ? value : Buffer.from(value, 'utf8').toString('latin1');
}

function endResponse({ kind, code }: RecordedExchange['end'], res: ServerResponse): boolean {
  switch (kind) {
    case 'complete':
      res.end();
      break;
    case 'stopped':
      // A body of an announced length cannot end early.
      if (res.hasHeader('content-length')) res.socket?.destroySoon();
      else res.end();
      break;
    case 'cut':
      if (code === 'ECONNRESET' && res.headersSent) res.socket?.resetAndDestroy();
      else res.socket?.destroySoon();
      break;
    case 'silent':
      // The client gives up, as it did when this was recorded.
      break;
    default:
      kind satisfies never;
  }
  return true;
}
