import { type AddressInfo, createServer, type Socket } from 'node:net';
import { monotonicClock } from '../../src/model/clock.ts';
import { chunk, createSchedule } from '../schedule.ts';
import { readRequests } from './incoming.ts';

// A chat service in a process of its own that knows what it sent: for each answer the moment at which its request was read, and
// the moment of each event that it wrote, on the machine-wide clock. The events follow an absolute schedule, so that a late
// one does not delay the next. One timer serves all streams.
// Arguments: ms to the first event, events of an answer, ms between them.

/** What the emitter did since it was asked last. Times in ms on the machine's monotonic clock. */
export interface Emitted {
  /** When the first request was read, and when the last event was written; null without an answer. */
  firstRequestAt: number | null;
  lastEventAt: number | null;
  answers: number;
  events: number;
  /** From reading the request to writing the first event, of each answer. */
  ttftMs: Float64Array;
  /** Between the events of an answer. */
  gapsMs: Float64Array;
}

const [firstMs = 100, perAnswer = 100, everyMs = 20] = process.argv.slice(2).map(Number);

interface Answer {
  socket: Socket;
  isChat: boolean;
  receivedAt: number;
  sent: number;
  lastAt: number;
}

let ttft: number[] = [];
let gaps: number[] = [];
let firstRequestAt: number | null = null;
let lastEventAt: number | null = null;
const schedule = createSchedule(send);

const server = createServer({ noDelay: true }, (socket) => {
  readRequests(socket, ({ method, path, receivedAt }) => {
    if (method === 'POST' && path.endsWith('/completions')) answer(socket, path, receivedAt);
    else socket.write(document(path, method === 'HEAD'));
  });
});

/** What tools ask before they start: which models there are, and whether the service is well. */
function document(path: string, headOnly: boolean): string {
  const known = path.endsWith('/models') || path.endsWith('/health');
  const body = known ? '{"object":"list","data":[{"id":"m","object":"model"}]}' : '{}';
  const status = known ? '200 OK' : '404 Not Found';
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${headOnly ? '' : body}`;
}

function answer(socket: Socket, path: string, receivedAt: number): void {
  firstRequestAt ??= receivedAt;
  const isChat = path.endsWith('/chat/completions');
  schedule.add({ socket, isChat, receivedAt, sent: 0, lastAt: 0 }, receivedAt + firstMs);
}

const HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n';
// Some tools tell a chunk by its object.
const common = (isChat: boolean) =>
  `"id":"c","object":"${isChat ? 'chat.completion.chunk' : 'text_completion'}","created":1,"model":"m"`;
const usage = `"usage":{"prompt_tokens":10,"completion_tokens":${perAnswer},"total_tokens":${perAnswer + 10}}`;

function send(one: Answer): void {
  const { socket, isChat, receivedAt } = one;
  if (socket.destroyed) return;
  const choice = isChat ? '"delta":{"content":"word "}' : '"text":"word "';
  const data = chunk(`data: {${common(isChat)},"choices":[{"index":0,${choice},"finish_reason":null}]}\n\n`);
  const isFirst = one.sent === 0;
  one.sent++;
  const isLast = one.sent === perAnswer;
  socket.write(`${isFirst ? HEAD : ''}${data}${isLast ? ending(isChat) : ''}`, 'latin1');
  const now = monotonicClock.now();
  if (isFirst) ttft.push(now - receivedAt);
  else gaps.push(now - one.lastAt);
  one.lastAt = now;
  lastEventAt = now;
  if (!isLast) schedule.add(one, receivedAt + firstMs + one.sent * everyMs);
}

function ending(isChat: boolean): string {
  const choice = isChat ? '"delta":{}' : '"text":""';
  const finish = `data: {${common(isChat)},"choices":[{"index":0,${choice},"finish_reason":"stop"}]}\n\n`;
  return `${chunk(`${finish}data: {${common(isChat)},"choices":[],${usage}}\n\ndata: [DONE]\n\n`)}0\r\n\r\n`;
}

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('message', () => {
  const emitted: Emitted = {
    firstRequestAt,
    lastEventAt,
    answers: ttft.length,
    events: ttft.length + gaps.length,
    ttftMs: Float64Array.from(ttft),
    gapsMs: Float64Array.from(gaps),
  };
  process.send?.(emitted);
  ttft = [];
  gaps = [];
  firstRequestAt = null;
  lastEventAt = null;
});
process.on('disconnect', () => process.exit());
// Ctrl-C reaches the whole group: the parent decides when there is enough.
process.on('SIGINT', () => {});
