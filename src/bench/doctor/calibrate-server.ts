import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Clock, monotonicClock } from '../../model/clock.ts';

/** A server that sends events on a known schedule. Each event holds the times when it was due and when it was sent. */
export interface CalibrationServer {
  port: number;
  close(): void;
}

const HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n';

/** The schedules of the streams are spread over slots of this length, because real streams are not synchronous either. */
const SLOT_MS = 1;
const STAMP = 16;
/** `data: DUE SENT` and the empty line after it. */
const EVENT_LENGTH = 6 + STAMP + 1 + STAMP + 2;

/**
 * Starts the server on a free loopback port. It answers every request with an endless stream of `ratePerSecond` events. One timer
 * serves all streams and nothing is parsed, because the server shares the machine with the measured reader.
 */
export async function startCalibrationServer(
  ratePerSecond: number,
  clock: Clock = monotonicClock,
): Promise<CalibrationServer> {
  const slots: Set<Socket>[] = Array.from(
    { length: Math.round(1000 / ratePerSecond / SLOT_MS) },
    () => new Set(),
  );
  const slotMs = 1000 / ratePerSecond / slots.length;
  const length = EVENT_LENGTH.toString(16);
  const sockets = new Set<Socket>();
  let streams = 0;
  let next = 0;

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('data', () => {
      socket.resume();
      socket.write(HEAD, 'latin1');
      slots[streams++ % slots.length]?.add(socket);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      for (const slot of slots) slot.delete(socket);
    });
  });

  const startedAt = clock.now();
  const tick = () => {
    const now = clock.now();
    for (let dueAt = startedAt + next * slotMs; dueAt <= now; dueAt = startedAt + next * slotMs) {
      const due = stamp(dueAt);
      for (const socket of slots[next % slots.length] ?? []) {
        // A stream under backpressure is skipped: its events would be late anyway.
        if (socket.writableNeedDrain) continue;
        socket.write(`${length}\r\ndata: ${due} ${stamp(clock.now())}\n\n\r\n`, 'latin1');
      }
      next++;
    }
    timer = setTimeout(tick, Math.max(0, startedAt + next * slotMs - clock.now()));
  };
  let timer = setTimeout(tick, 0);

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      clearTimeout(timer);
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function stamp(atMs: number): string {
  return atMs.toFixed(3).padStart(STAMP);
}

/** The two times in an event's text, in ms on the machine's monotonic clock. */
export function readStamps(text: string): { dueAt: number; sentAt: number } {
  return { dueAt: Number(text.slice(0, STAMP)), sentAt: Number(text.slice(STAMP + 1)) };
}
