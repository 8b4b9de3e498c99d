import { type AddressInfo, createServer, type Socket } from 'node:net';
import { monotonicClock } from '../../src/model/clock.ts';
import { startWheel } from './wheel.ts';

// A chat service in a process of its own whose answers take a known time, and which says when it did what: the first
// event of an answer holds the moments at which its request was read and at which that event was written, on the
// machine-wide clock. One timer serves all streams, on an absolute schedule.
// Arguments: ms to the first token, events of an answer, ms between them.

const [firstMs = 100, events = 10, everyMs = 20] = process.argv.slice(2).map(Number);
const HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n';
const LAST = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

interface Answer {
  socket: Socket;
  receivedAt: number;
  sent: number;
}

const plan = startWheel(send);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (bytes: Buffer) => {
    // A request's body follows its head in the same write, or in the next read.
    if (bytes.toString('latin1', 0, 5) !== 'POST ') return;
    const receivedAt = monotonicClock.now();
    plan({ socket, receivedAt, sent: 0 }, receivedAt + firstMs);
  });
  socket.on('error', () => socket.destroy());
});

function send(answer: Answer): void {
  const { socket, receivedAt } = answer;
  if (socket.destroyed) return;
  const first = answer.sent === 0;
  const text = first ? `${receivedAt.toFixed(3)} ${monotonicClock.now().toFixed(3)} ` : 'word ';
  const data = chunk(
    `data: {"choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`,
  );
  answer.sent++;
  const last = answer.sent === events;
  socket.write(`${first ? HEAD : ''}${data}${last ? `${chunk(LAST)}0\r\n\r\n` : ''}`, 'latin1');
  if (!last) plan(answer, receivedAt + firstMs + answer.sent * everyMs);
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());
// Ctrl-C reaches the whole group: the parent decides when there is enough.
process.on('SIGINT', () => {});
