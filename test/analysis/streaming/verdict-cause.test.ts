import { expect, test } from 'vitest';
import { causesOf } from '../../../src/analysis/streaming/verdict-cause.ts';

const SSE = { 'content-type': 'text/event-stream' };
const remedies = (headers: Record<string, string>, verdict: 'buffered' | 'coarse' = 'buffered') =>
  causesOf(verdict, { headers: { ...SSE, ...headers } }).map(({ what, remedy }) => `${what}. ${remedy}`);

test.each([
  [{ server: 'nginx/1.22.1' }, /nginx in the path \(nginx\/1\.22\.1\).*proxy_buffering off/],
  [{ via: '1.1 haproxy' }, /try "option http-no-delay"/],
  [{ server: 'lighttpd/1.4.69' }, /server\.stream-response-body/],
  [{ server: 'cloudflare' }, /no-transform/],
  [{ server: 'Apache/2.4' }, /flushpackets=on/],
  [{ via: '1.1 Caddy' }, /flush_interval -1/],
  [{ 'content-encoding': 'gzip', server: 'nginx' }, /flush it after every event.*gzip off/],
  [{ server: 'uvicorn' }, /without the proxies in front of it/],
])('%j', (headers, expected) => {
  expect(remedies(headers as Record<string, string>)[0]).toMatch(expected);
});

test('a replay is caused by the service, whatever the proxies', () => {
  const [cause] = causesOf('replayed', { headers: { ...SSE, server: 'nginx' } });
  expect(cause!.remedy).toMatch(/the service itself/);
});

test('nobody is blamed where it streams, or where nothing is known', () => {
  for (const verdict of ['streaming', 'inconclusive'] as const)
    expect(causesOf(verdict, { headers: { server: 'nginx', 'content-encoding': 'gzip' } })).toEqual([]);
});

test('a length and another content type are told beside the server', () => {
  expect(remedies({ server: 'nginx', 'content-length': '100', 'content-type': 'text/plain' })).toHaveLength(
    3,
  );
});
