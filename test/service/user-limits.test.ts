import { describe, expect, test } from 'vitest';
import { createToken } from '../../src/service/http/auth.ts';
import { readChatBody } from '../../src/service/http/requests.ts';
import { TicketStore } from '../../src/service/http/tickets.ts';
import { UserRateLimiter } from '../../src/service/http/user-rate-limiter.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';
import { clientOf, closedAfterEach, jsonOf, SECRET, startService, startStack, until } from './support.ts';

const open = closedAfterEach();

const refusal = (status: number, code: string, seconds: number) =>
  expect.objectContaining({ status, code, headers: { 'retry-after': String(seconds) } });
const attempt = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('requests per user and minute', () => {
  test('a burst, then one by one, for each user separately', async () => {
    const clock = new FakeClock();
    const requests = new UserRateLimiter(6, clock);
    for (let i = 0; i < 6; i++) requests.count('ada');
    expect(attempt(() => requests.count('ada'))).toEqual(refusal(429, 'too_many_requests', 10));
    expect(attempt(() => requests.count('eve'))).toBeUndefined();
    await clock.advance(4_000);
    expect(attempt(() => requests.count('ada'))).toEqual(refusal(429, 'too_many_requests', 6));
    await clock.advance(6_000);
    expect(attempt(() => requests.count('ada'))).toBeUndefined();
    expect(attempt(() => requests.count('ada'))).toEqual(refusal(429, 'too_many_requests', 10));
  });

  test('no limit; and the number of remembered users is bounded', () => {
    const none = new UserRateLimiter(undefined, new FakeClock());
    for (let i = 0; i < 10_000; i++) none.count('ada');
    const one = new UserRateLimiter(1, new FakeClock());
    for (let i = 0; i < 10_001; i++) one.count(`user ${i}`);
    expect(attempt(() => one.count('user 0'))).toBeUndefined();
    expect(attempt(() => one.count('user 10000'))).toMatchObject({ status: 429 });
  });

  test('over HTTP: every endpoint counts, and the refusal has a retry-after header', async () => {
    const stack = await startStack({ requestsPerMinute: 2 });
    open.push(stack);
    await stack.post('/chat', { message: 'x' });
    await stack.get('/sessions/s/messages');
    const refused = await stack.post('/chat/stream', { message: 'x' });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ error: { code: 'too_many_requests' } });
    const eve = { authorization: `Bearer ${await createToken(SECRET, { subject: 'eve' })}` };
    const body = '{"message":"x"}';
    const other = await fetch(`${stack.url}/chat`, { method: 'POST', headers: eve, body });
    expect(other.status).toBe(200);
  });
});

test('streams of one user: over the limit refused, other users accepted, accepted again after one ends', async () => {
  const server = await rawServer((socket) => {
    socket.write(SSE_HEAD + chunked(chatChunk({ content: 'x' })));
  });
  open.push(server);
  const service = await startService([{ name: 'raw', model: 'm', client: clientOf(`${server.url}/v1`) }], {
    maxStreamsPerUser: 2,
  });
  open.push(service);
  const stop = [new AbortController(), new AbortController()] as const;
  for (const { signal } of stop)
    expect((await service.post('/chat/stream', { message: 'x' }, { signal })).status).toBe(200);
  const refused = await service.post('/chat', { message: 'x' });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await refused.json()).toMatchObject({ error: { code: 'too_many_streams' } });
  const { url } = await jsonOf<{ url: string }>(service.post('/chat/tickets', { message: 'x' }));
  expect((await fetch(service.url + url)).status).toBe(429);
  const eve = { authorization: `Bearer ${await createToken(SECRET, { subject: 'eve' })}` };
  expect((await service.post('/chat/stream', { message: 'x' }, { headers: eve })).status).toBe(200);
  stop[0].abort();
  await until(async () => (await service.post('/chat/stream', { message: 'x' })).status === 200);
  stop[1].abort();
});

describe('tickets', () => {
  const body = readChatBody('{"message":"x"}', 100);
  const ticket = (subject: string, bytes = 15) => ({ caller: { subject }, body, bytes });

  test('are limited per user, and one user’s never displace another’s', async () => {
    const clock = new FakeClock();
    const box = new TicketStore(clock);
    const { id } = box.issue(ticket('ada'));
    for (let i = 0; i < 100; i++) box.issue(ticket('eve'));
    expect(attempt(() => box.issue(ticket('eve')))).toEqual(refusal(429, 'too_many_tickets', 30));
    expect(box.take(id)).toMatchObject({ caller: { subject: 'ada' } });
    expect(box.take(id)).toBeUndefined();
    await clock.advance(30_000);
    expect(attempt(() => box.issue(ticket('eve')))).toMatchObject({ expiresInMs: 30_000 });
    expect(box.waiting).toEqual({ tickets: 1, bytes: 15 });
    box.close();
  });

  test('are limited in number and bytes, and free both when they end', async () => {
    const clock = new FakeClock();
    const box = new TicketStore(clock);
    const ids = Array.from({ length: 16 }, (_, i) => box.issue(ticket(`user ${i}`, 1024 * 1024)).id);
    expect(attempt(() => box.issue(ticket('ada')))).toEqual(refusal(503, 'too_many_tickets', 5));
    box.take(ids[3]!);
    box.issue(ticket('ada'));
    await clock.advance(30_000);
    box.sweep();
    expect(box.waiting).toEqual({ tickets: 0, bytes: 0 });
    for (let i = 0; i < 10_000; i++) box.issue(ticket(`user ${i % 500}`));
    expect(attempt(() => box.issue(ticket('ada')))).toMatchObject({ status: 503 });
    box.close();
    expect(box.waiting).toEqual({ tickets: 0, bytes: 0 });
  });
});

test('metrics need a token when other machines can reach the service', async () => {
  const stack = await startStack();
  open.push(stack);
  expect((await fetch(`${stack.url}/metrics`)).status).toBe(200);
  expect(await jsonOf(fetch(`${stack.url}/api/v1/health/stream`))).toHaveProperty('streams');

  const { createService } = await import('../../src/service/index.ts');
  const upstreams = [{ name: 'none', client: clientOf('http://127.0.0.1:9/v1') }];
  const everywhere = createService({ secret: SECRET, upstreams });
  const { url } = await everywhere.listen(0, '0.0.0.0');
  open.push({ close: () => everywhere.close(0) });
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  const headers = { authorization: `Bearer ${await createToken(SECRET)}` };
  expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
  const health = await jsonOf<object>(fetch(`${url}/api/v1/health/stream`));
  expect(health).toMatchObject({ status: 'ok', active_streams: 0 });
  expect(health).not.toHaveProperty('streams');
});
