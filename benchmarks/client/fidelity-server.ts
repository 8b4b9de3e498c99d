import { type AddressInfo, createServer, type Socket } from 'node:net';
import { monotonicClock } from '../../src/model/clock.ts';

// A chat service in a process of its own, whose answers never end: each stream gets its events on an absolute schedule,
// and each event says when it left. Nothing is parsed and one timer serves all, because it shares the machine with the
// reader that is measured. Started with the rate; says its port; ends with its parent.

const HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n';
const BEFORE =
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"';
const AFTER = '"},"finish_reason":null}]}\n\n';
const STAMP = 16;
const SIZE = (BEFORE.length + STAMP + AFTER.length).toString(16);

const ratePerSecond = Number(process.argv[2]);
// Streams do not beat in time: their schedules are spread over slots of a millisecond.
const slots: Set<Socket>[] = Array.from({ length: Math.round(1000 / ratePerSecond) }, () => new Set());
const slotMs = 1000 / ratePerSecond / slots.length;
let streams = 0;
let next = 0;

const server = createServer({ noDelay: true }, (socket) => {
  socket.once('data', () => {
    socket.resume();
    socket.write(HEAD, 'latin1');
    const slot = slots[streams++ % slots.length]!;
    slot.add(socket);
    socket.on('close', () => slot.delete(socket));
  });
  socket.on('error', () => socket.destroy());
});

const startedAt = monotonicClock.now();
tick();

function tick(): void {
  const now = monotonicClock.now();
  for (; startedAt + next * slotMs <= now; next++) {
    for (const socket of slots[next % slots.length]!) {
      // A reader that does not keep up is not buried: what it would get is late anyway.
      if (socket.writableNeedDrain) continue;
      const stamp = monotonicClock.now().toFixed(3).padStart(STAMP);
      socket.write(`${SIZE}\r\n${BEFORE}${stamp}${AFTER}\r\n`, 'latin1');
    }
  }
  setTimeout(tick, Math.max(0, startedAt + next * slotMs - monotonicClock.now()));
}

server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());
// Ctrl-C reaches the whole group: the parent decides when there is enough.
process.on('SIGINT', () => {});
