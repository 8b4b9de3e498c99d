import type { Cassette, RecordedExchange } from '../../src/cassettes/cassette.ts';
import { chatChunk } from '../support/raw-server.ts';

const HEADERS = { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' };

/** Reads of these bytes or texts, 10 ms apart, the first at 100 ms. */
export function reads(...pieces: readonly (string | Uint8Array)[]): RecordedExchange['reads'] {
  return pieces.map((piece, index) => ({ atMs: 100 + 10 * index, bytes: Buffer.from(piece) }));
}

/** A recorded chat answer "Hello" in three reads, with changes. */
export function exchange(changes: Partial<RecordedExchange> = {}): RecordedExchange {
  return {
    request: {
      method: 'POST',
      origin: 'http://127.0.0.1:1',
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"m","stream":true}',
      dialect: 'openai-chat',
      stream: true,
    },
    response: { atMs: 90.5, status: 200, headers: HEADERS, protocol: 'h1' },
    reads: reads(
      chatChunk({ content: 'Hel' }),
      chatChunk({ content: 'lo' }),
      `${chatChunk({}, 'stop')}data: [DONE]\n\n`,
    ),
    end: { atMs: 120, kind: 'complete' },
    ...changes,
  };
}

export function cassette(...exchanges: readonly RecordedExchange[]): Cassette {
  return { program: 'streambench 0.0.0', recordedAt: '2026-11-22T00:00:00.000Z', exchanges };
}
