import { connect } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MeasuredRequest } from '../../src/client/client-options.ts';
import { monotonicClock } from '../../src/model/clock.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import type { Observation } from '../../src/model/record.ts';

/** Is told of each event: the time that the server wrote into it, and when it had arrived for this reader. */
export type Arrived = (sentAt: number, arrivedAt: number) => void;

/** Opens one endless stream; the answer aborts it. */
export type Open = () => () => void;

/** The readers that take turns. The first is ours, the last is the floor. */
export const READERS = ['streambench', 'fetch', 'openai', 'net'] as const;

export type ReaderName = (typeof READERS)[number];

const now = monotonicClock.now;
const CHAT = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], stream: true as const };

/** Makes the reader of that name. What only one reader needs is loaded only for that one. */
export async function makeReader(name: ReaderName, port: number, arrived: Arrived): Promise<Open> {
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  switch (name) {
    case 'streambench':
      return ours(baseUrl, arrived);
    case 'fetch':
      return () => {
        const stop = new AbortController();
        naiveFetch(`${baseUrl}/chat/completions`, stop.signal, arrived).catch(() => {});
        return () => stop.abort();
      };
    case 'openai': {
      const { default: OpenAI } = await import('../../test/peers/openai.ts');
      const client = new OpenAI({ apiKey: 'none', baseURL: baseUrl, maxRetries: 0 });
      const read = async (signal: AbortSignal) => {
        const stream = await client.chat.completions.create(CHAT, { signal });
        for await (const chunk of stream) {
          const arrivedAt = now();
          arrived(Number(chunk.choices[0]?.delta.content), arrivedAt);
        }
      };
      return () => {
        const stop = new AbortController();
        read(stop.signal).catch(() => {});
        return () => stop.abort();
      };
    }
    case 'net':
      return () => rawSocket(port, arrived);
    default:
      return name satisfies never;
  }
}

/** What `measure` does, with a listener for which, as in a run, nothing is done sooner. */
interface Listening {
  send(
    chat: MeasuredRequest['request'],
    rest: Omit<MeasuredRequest, 'request'> & { decode: 'later' },
    listeners: { onEvents(events: readonly StreamEvent[], atMs: number): void },
  ): Promise<Observation>;
}

// The package as it is built and with the dependencies it is shipped with: from here, the peers' own would be found.
async function ours(baseUrl: string, arrived: Arrived): Promise<Open> {
  const built = pathToFileURL(resolve('dist/client/client.js')).href;
  const { createClient }: typeof import('../../src/client/client.ts') = await import(built);
  const timeouts = { totalMs: 3_600_000, idleMs: 3_600_000 };
  const client = createClient({ baseUrl, dialect: 'openai-chat', model: 'm', timeouts });
  return () => {
    const stop = new AbortController();
    const rest = { originAt: 0, scheduledAt: now(), keepText: false, signal: stop.signal };
    void (client as unknown as Listening).send(
      CHAT,
      { ...rest, decode: 'later' },
      {
        onEvents(events, atMs) {
          for (const event of events) if (event.type === 'message_chunk') arrived(Number(event.text), atMs);
        },
      },
    );
    return () => stop.abort();
  };
}

/** As it is written everywhere: read, decode, split, parse, and only then look at the clock. */
async function naiveFetch(url: string, signal: AbortSignal, arrived: Arrived): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(CHAT), signal });
  const reader = response.body!.getReader();
  const utf8 = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += utf8.decode(value, { stream: true });
    const events = rest.split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      const json = JSON.parse(event.slice('data: '.length));
      arrived(Number(json.choices[0].delta.content), now());
    }
  }
}

interface Read {
  atMs: number;
  bytes: Buffer;
  carry: { text: string };
}

let reads: Read[] = [];

/** The least that Node can do: a stamp when the socket is read, and lines and JSON when all sockets have been. */
function rawSocket(port: number, arrived: Arrived): () => void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const carry = { text: '' };
  const body = JSON.stringify(CHAT);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  socket.on('data', (bytes) => {
    const atMs = now();
    if (reads.push({ atMs, bytes, carry }) === 1) setImmediate(decodeReads, arrived);
  });
  socket.on('error', () => socket.destroy());
  return () => socket.destroy();
}

function decodeReads(arrived: Arrived): void {
  const batch = reads;
  reads = [];
  for (const { atMs, bytes, carry } of batch) {
    const text = carry.text + bytes.toString('latin1');
    let from = 0;
    for (let to = text.indexOf('\n'); to !== -1; to = text.indexOf('\n', from)) {
      // Sizes of chunks, headers and empty lines begin with something else.
      if (text.startsWith('data: ', from)) {
        arrived(Number(JSON.parse(text.slice(from + 6, to)).choices[0].delta.content), atMs);
      }
      from = to + 1;
    }
    carry.text = text.slice(from);
  }
}
