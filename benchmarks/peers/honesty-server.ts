import { type AddressInfo, createServer, type Socket } from 'node:net';
import { chunk } from '../schedule.ts';
import { readRequests } from './incoming.ts';

// A chat service with faults and with unusual, valid spellings of an event stream, for `--honesty`.

/** One kind of answer, and what is true of it. */
export interface HonestyCase {
  name: string;
  /** False for an answer that failed, whatever its status was. */
  isGood: boolean;
  /** Time to the first content in ms; absent where the answer failed. */
  ttftMs?: number;
  /** What a tool should say about the stream, apart from its figures. */
  says?: RegExp;
  /** Writes of the answer: ms after the request, and the bytes. `null` ends the body properly. */
  writes: readonly (readonly [atMs: number, bytes: string | null])[];
  /** Default: 200. */
  status?: string;
}

const FIRST_MS = 100;
const EVERY_MS = 20;
const EVENTS = 10;

const common = '"id":"c","object":"chat.completion.chunk","created":1,"model":"m"';
const usage = `"usage":{"prompt_tokens":10,"completion_tokens":${EVENTS},"total_tokens":${EVENTS + 10}}`;
const choice = (delta: string, finish = 'null') =>
  `{${common},"choices":[{"index":0,"delta":${delta},"finish_reason":${finish}}]}`;
const WORD = choice('{"content":"word "}');
const ENDING = [choice('{}', '"stop"'), `{${common},"choices":[],${usage}}`, '[DONE]'];

type Spelling = (data: string) => string;
const spelled: Spelling = (data) => `data: ${data}\n\n`;

/** The events of an answer: one every 20 ms, and the end with the last one. */
function paced(
  events: readonly string[],
  { startMs = FIRST_MS, everyMs = EVERY_MS, spelling = spelled } = {},
) {
  const writes = events.map((data, index) => [startMs + index * everyMs, spelling(data)] as const);
  return [...writes, ...ended(startMs + (events.length - 1) * everyMs, spelling)];
}

function ended(atMs: number, spelling = spelled) {
  return [[atMs, ENDING.map(spelling).join('')] as const, [atMs, null] as const];
}

const WORDS = Array.from({ length: EVENTS }, () => WORD);
const WHOLE_MS = FIRST_MS + EVENTS * EVERY_MS;

/** The cases, the plain one first. */
export const HONESTY_CASES: readonly HonestyCase[] = [
  { name: 'plain stream', isGood: true, ttftMs: FIRST_MS, writes: paced(WORDS) },
  {
    name: 'CRLF line ends',
    ...{ isGood: true, ttftMs: FIRST_MS },
    writes: paced(WORDS, { spelling: (data) => `data: ${data}\r\n\r\n` }),
  },
  {
    name: 'no space after "data:"',
    ...{ isGood: true, ttftMs: FIRST_MS },
    writes: paced(WORDS, { spelling: (data) => `data:${data}\n\n` }),
  },
  {
    name: 'four events in a write',
    ...{ isGood: true, ttftMs: FIRST_MS },
    writes: paced(
      [WORDS.slice(0, 4), WORDS.slice(4, 8), WORDS.slice(8)].map((events) => events.join('\n\ndata: ')),
    ),
  },
  {
    name: 'role first, content later',
    ...{ isGood: true, ttftMs: FIRST_MS },
    writes: [[20, spelled(choice('{"role":"assistant","content":""}'))], ...paced(WORDS)],
  },
  {
    name: 'reasoning first',
    ...{ isGood: true, ttftMs: FIRST_MS },
    writes: paced([...WORDS.slice(5).map(() => choice('{"reasoning_content":"hm "}')), ...WORDS.slice(5)]),
  },
  {
    name: 'buffered: all at the end',
    ...{ isGood: true, ttftMs: WHOLE_MS, says: /buffered|inconclusive/i },
    writes: [[WHOLE_MS, WORDS.map(spelled).join('')], ...ended(WHOLE_MS)],
  },
  {
    name: 'replayed: paced after a wait',
    ...{ isGood: true, ttftMs: 1_000, says: /replayed|inconclusive/i },
    writes: paced(WORDS, { startMs: 1_000, everyMs: 4 }),
  },
  {
    name: 'error in the stream',
    isGood: false,
    writes: [
      ...paced(WORDS.slice(0, 3)).slice(0, 3),
      [200, spelled('{"error":{"message":"the model is overloaded","type":"server_error","code":503}}')],
      [200, null],
    ],
  },
  {
    name: 'cut, body ends properly',
    isGood: false,
    writes: [...paced(WORDS.slice(0, 3)).slice(0, 3), [200, null]],
  },
  { name: 'every request fails', isGood: false, status: '500 Internal Server Error', writes: [] },
];

/** Serves one case at a time. */
export async function startHonestyServer() {
  let current = HONESTY_CASES[0] as HonestyCase;
  const server = createServer({ noDelay: true }, (socket) => {
    readRequests(socket, ({ method, path }) => {
      if (method === 'POST' && path.endsWith('/completions')) answer(socket, current);
      else socket.write(document('{"object":"list","data":[{"id":"m","object":"model"}]}'));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    serve(one: HonestyCase) {
      current = one;
    },
    close: () => server.close(),
  };
}

function document(body: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

function answer(socket: Socket, { writes, status }: HonestyCase): void {
  if (status !== undefined) {
    socket.write(document('{"error":{"message":"the model is down"}}', status));
    return;
  }
  socket.write(HEAD);
  const start = performance.now();
  const next = (index: number) => {
    const write = writes[index];
    if (write === undefined || socket.destroyed) return;
    const [atMs, bytes] = write;
    setTimeout(
      () => {
        if (!socket.destroyed) socket.write(bytes === null ? '0\r\n\r\n' : chunk(bytes), 'latin1');
        next(index + 1);
      },
      Math.max(0, atMs - (performance.now() - start)),
    );
  };
  next(0);
}
