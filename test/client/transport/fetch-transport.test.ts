import { describe, expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { UserError } from '../../../src/model/errors.ts';

const BASE = { baseUrl: 'http://127.0.0.1:9', dialect: 'sse', model: 'm' } as const;
const bytes = (text: string) => new TextEncoder().encode(text);

describe('a client with a fetch of its own', () => {
  test('sends the request by it, and its stamps are those of the reader', async () => {
    const seen: [string, RequestInit][] = [];
    const client = createClient({
      ...BASE,
      apiKey: 'k',
      fetch: async (url, init) => {
        seen.push([url, init]);
        return new Response('data: a\n\ndata: [DONE]\n\n', { headers: { 'content-encoding': 'identity' } });
      },
    });
    const { outcome, stamp, text, connection } = await client.stream({ prompt: 'hi' }).result;
    expect({ outcome, stamp, text, connection }).toEqual({
      outcome: { kind: 'ok' },
      stamp: 'reader',
      text: 'a',
    });
    expect(seen[0]?.[0]).toBe('http://127.0.0.1:9/');
    expect(seen[0]?.[1]).toMatchObject({ method: 'POST', body: '{"model":"m","prompt":"hi"}' });
    // Browsers do not allow it to be set.
    expect(Object.keys(seen[0]?.[1].headers ?? {})).not.toContain('accept-encoding');
  });

  test('reports what fetch throws as an outcome, also a throw before it returns a promise', async () => {
    for (const fetch of [
      () =>
        Promise.reject(
          new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }),
        ),
      () => {
        throw new Error('blocked');
      },
    ]) {
      const { outcome } = await createClient({ ...BASE, fetch }).stream({ prompt: 'hi' }).result;
      expect(outcome.kind).toBe('network');
    }
  });

  test('reads no further while its consumer is slow, and cancels the body when that leaves', async () => {
    let made = 0;
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          made++;
          controller.enqueue(bytes(`data: ${'x'.repeat(4_000)}\n\n`));
        },
        cancel() {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const client = createClient({ ...BASE, fetch: async () => new Response(body) });
    const stream = client.stream({ prompt: 'hi', aheadBytes: 50_000 });
    for await (const _ of stream) {
      // The reads of some turns of the event loop.
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
      break;
    }
    expect(made).toBeGreaterThan(5);
    expect(made).toBeLessThan(60);
    expect((await stream.result).outcome.kind).toBe('cancelled');
    expect(cancelled).toBe(true);
  });

  test('refuses options of connections, and names them', () => {
    const connect = { http: 2, proxy: 'http://127.0.0.1:1' } as const;
    const create = () => createClient({ ...BASE, connect, fetch: async () => new Response('') });
    expect(create).toThrow(UserError);
    expect(create).toThrow('connect.http, connect.proxy');
  });
});

describe('a client with sockets, which are loaded with its first request', () => {
  test('refuses an invalid proxy and authority when it is created', () => {
    expect(() => createClient({ ...BASE, connect: { proxy: 'socks5://a:1' } })).toThrow(UserError);
    expect(() => createClient({ ...BASE, baseUrl: 'https://a', connect: { ca: 'x' } })).toThrow(
      /ca cannot be read/,
    );
  });

  test('can be closed before that', async () => {
    const client = createClient({ ...BASE, baseUrl: 'http://127.0.0.1:1' });
    const { result } = client.stream({ prompt: 'hi' });
    client.close();
    expect((await result).outcome.kind).toBe('network');
  });
});
