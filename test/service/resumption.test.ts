import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { monotonicClock } from '../../src/model/clock.ts';
import { closedAfterEach, startStack } from './support.ts';

const open = closedAfterEach();

/** A proxy that destroys its first connection after so many bytes of the response. */
async function cuttingProxy(port: number, afterBytes: number): Promise<string> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const cuts = connections++ === 0;
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}));
    client.pipe(upstream);
    let passed = 0;
    upstream.on('data', (chunk) => {
      client.write(chunk);
      passed += chunk.length;
      if (cuts && passed >= afterBytes) client.destroy();
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

test('a client continues a stream of the service where a proxy cut it', async () => {
  const stack = await startStack({}, 'paced');
  open.push(stack);
  const url = await cuttingProxy(Number(new URL(stack.url).port), 900);
  const client = createClient({
    ...{ baseUrl: `${url}/chat/stream`, dialect: 'conversation', auth: 'bearer', apiKey: stack.token },
    extra: { resumable: true },
  });
  const now = monotonicClock.now();
  const request = { messages: [{ role: 'user' as const, content: 'Hello' }], stream: true };
  const observation = await client.measure({
    ...{ request, scheduledAt: now, originAt: now, keepText: true },
    resume: { max: 3, waitMs: 10 },
  });
  client.close();
  expect(observation.outcome).toEqual({ kind: 'ok' });
  expect(observation.resumptions).toHaveLength(1);
  expect(observation.eventIds).toMatchObject({ lost: 0, doubled: 0 });
  const [truth] = stack.simulator.log;
  expect(observation.text).toBe(truth?.text);
});
