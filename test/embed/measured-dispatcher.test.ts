import { Agent, request, fetch as undiciFetch } from 'undici';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { measuredDispatcher } from '../../src/embed/measured-dispatcher.ts';
import type { MeasuredObservation } from '../../src/embed/observing.ts';
import { monotonicClock } from '../../src/model/clock.ts';
import { CHAT_BODY, chatChunk, chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';

const start = rawServers();
const agents: Agent[] = [];
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.destroy();
});

function measured() {
  const seen: MeasuredObservation[] = [];
  const agent = new Agent();
  agents.push(agent);
  const dispatcher = agent.compose(measuredDispatcher({ onObservation: (one) => seen.push(one) }));
  const one = async () => {
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0), { interval: 2, timeout: 5_000 });
    expect(seen).toHaveLength(1);
    return seen[0]!;
  };
  return { dispatcher, one };
}

const body = JSON.stringify({ model: 'm1', stream: true, messages: [] });
const OPTIONS = { method: 'POST', body, headers: { authorization: 'Bearer sk-canary-123456' } } as const;
const PATH = '/v1/chat/completions';

describe('measuredDispatcher', () => {
  test.each(['request', 'fetch', 'the global fetch'])('stamps the socket reads of %s', async (how) => {
    const server = await start((socket) => void socket.write(SSE_HEAD + CHAT_BODY));
    const { dispatcher, one } = measured();
    const url = server.url + PATH;
    if (how === 'request') {
      const response = await request(url, { ...OPTIONS, dispatcher });
      expect(await response.body.text()).toContain('[DONE]');
    } else {
      const fetch = how === 'fetch' ? undiciFetch : (globalThis.fetch as unknown as typeof undiciFetch);
      const response = await fetch(url, { ...OPTIONS, dispatcher });
      expect(await response.text()).toContain('[DONE]');
    }
    expect(await one()).toMatchObject({
      stamp: 'socket',
      outcome: { kind: 'ok' },
      contentEvents: 2,
      endpoint: { dialect: 'openai-chat', model: 'm1', host: '127.0.0.1', port: server.port },
    });
  });

  test('a reader that waits does not make the stamps late', async () => {
    let written = () => {};
    const done = new Promise<void>((resolve) => {
      written = resolve;
    });
    const server = await start((socket) => void socket.write(SSE_HEAD + CHAT_BODY, () => written()));
    const { dispatcher, one } = measured();
    const startedAt = monotonicClock.now();
    const response = await request(server.url + PATH, { ...OPTIONS, dispatcher });
    await done;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const readAfterMs = monotonicClock.now() - startedAt;
    await response.body.text();
    expect((await one()).marks.lastToken).toBeLessThan(readAfterMs);
  });

  test('a body that is abandoned, a request that is aborted, a server that is not there', async () => {
    const server = await start(
      (socket) => void socket.write(SSE_HEAD + chunked(chatChunk({ content: 'Hel' }))),
    );
    const left = measured();
    const response = await request(server.url + PATH, { ...OPTIONS, dispatcher: left.dispatcher });
    for await (const _ of response.body) break;
    expect(await left.one()).toMatchObject({ outcome: { kind: 'cancelled' }, contentEvents: 1 });

    const aborted = measured();
    const stop = new AbortController();
    const pending = request(server.url + PATH, {
      ...OPTIONS,
      dispatcher: aborted.dispatcher,
      signal: stop.signal,
    }).then(({ body: stream }) => stream.text());
    await vi.waitFor(() => expect(server.requests).toHaveLength(2), { interval: 2 });
    stop.abort();
    await expect(pending).rejects.toThrow();
    expect(await aborted.one()).toMatchObject({ outcome: { kind: 'cancelled' } });

    await server.close();
    const refused = measured();
    await expect(
      request(server.url + PATH, { ...OPTIONS, dispatcher: refused.dispatcher }),
    ).rejects.toThrow();
    expect(await refused.one()).toMatchObject({ outcome: { kind: 'network', code: 'ECONNREFUSED' } });
  });

  test('without compose: the response is not observed, and not disturbed', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const ended: string[] = [];
    const dispatch = measuredDispatcher({ onObservation: () => ended.push('observed') })((_, handler) => {
      (handler as { onComplete(trailers: string[]): void }).onComplete([]);
      return true;
    });
    const old = { onConnect() {}, onComplete: () => ended.push('complete') };
    dispatch({ origin: 'http://127.0.0.1', path: '/', method: 'GET' }, old as never);
    expect(ended).toEqual(['complete']);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });
});
