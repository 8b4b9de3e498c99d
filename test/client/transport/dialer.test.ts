import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient, type StreamClient } from '../../../src/client/client.ts';
import { networkError } from '../../../src/client/outcome/network-error.ts';
import type { ConnectOptions } from '../../../src/model/plan.ts';
import type { Observation } from '../../../src/model/record.ts';
import { CA, type ChatServerOptions, chatServer, SERVER_TLS } from '../../support/chat-server.ts';
import { proxyServer } from '../../support/proxy-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

async function serve(options: ChatServerOptions = {}) {
  const server = await chatServer(options);
  open.push(server);
  return server;
}

function clientTo(url: string, connect: ConnectOptions = {}, more = {}): StreamClient {
  const client = createClient({ provider: 'openai', baseUrl: `${url}/v1`, apiKey: 'k', connect, ...more });
  open.push(client);
  return client;
}

const resultOf = (client: StreamClient): Promise<Observation> => client.stream({ prompt: 'hi' }).result;

/** The marks of connecting that are there, checked to be in order. */
function phases({ marks }: Observation): string[] {
  const names = ['started', 'connectStart', 'dns', 'tcp', 'tls', 'sent', 'headers'] as const;
  const there = names.filter((name) => marks[name] !== undefined);
  const times = there.map((name) => marks[name]!);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  return there.filter((name) => ['connectStart', 'dns', 'tcp', 'tls'].includes(name));
}

describe('a connection with TLS', () => {
  test('trusts the given certificate authority, and reports the negotiated protocol', async () => {
    const server = await serve({ secure: true });
    const seen = await resultOf(clientTo(server.url, { ca: CA }));
    expect(seen.outcome.kind).toBe('ok');
    expect(seen.connection).toEqual({
      reused: false,
      protocol: 'h1',
      remote: `127.0.0.1:${server.port}`,
      tls: 'TLSv1.3',
      alpn: 'http/1.1',
    });
    expect(phases(seen)).toEqual(['connectStart', 'dns', 'tcp', 'tls']);
  });

  test('does not trust it by default, and the failure names the remedy', async () => {
    const server = await serve({ secure: true });
    const { outcome } = await resultOf(clientTo(server.url));
    expect(outcome).toMatchObject({ kind: 'network', code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    expect(outcome.hint).toMatch(/--ca FILE.*--insecure/);
  });

  test('accepts any certificate with insecure', async () => {
    const server = await serve({ secure: true });
    expect((await resultOf(clientTo(server.url, { insecure: true }))).outcome.kind).toBe('ok');
  });

  test('to an IP address needs no DNS lookup, and checks the certificate against the address', async () => {
    const server = await serve({ secure: true });
    const seen = await resultOf(clientTo(`https://127.0.0.1:${server.port}`, { ca: CA }));
    expect(seen.outcome.kind).toBe('ok');
    expect(phases(seen)).toEqual(['connectStart', 'tcp', 'tls']);
  });

  test.each(['nonsense', SERVER_TLS.key, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'refuses authorities that are none, before anything is sent (%#)',
    (ca) => {
      expect(() => clientTo('https://localhost:1', { ca })).toThrow(/ca cannot be read.*PEM/s);
    },
  );
});

describe('names', () => {
  test('that are pinned are not looked up, and keep their place in the certificate', async () => {
    const server = await serve({ secure: true });
    const pinned = [{ host: 'Stream.test', port: server.port, addresses: ['127.0.0.1'] }];
    const seen = await resultOf(clientTo(`https://stream.test:${server.port}`, { ca: CA, resolve: pinned }));
    expect(seen.outcome.kind).toBe('ok');
    expect(phases(seen)).toEqual(['connectStart', 'tcp', 'tls']);
    expect(server.requests[0]!.headers.host).toBe(`stream.test:${server.port}`);
  });

  test('pinned at another port are looked up', async () => {
    const pinned = [{ host: 'nowhere.invalid', port: 1, addresses: ['127.0.0.1'] }];
    const { outcome } = await resultOf(clientTo('http://nowhere.invalid:2', { resolve: pinned }));
    expect(outcome).toMatchObject({ kind: 'network', hint: expect.stringContaining('does not resolve') });
  });

  test('are looked up once with dns: once', async () => {
    const server = await serve();
    const client = clientTo(`http://localhost:${server.port}`, { dns: 'once', connection: 'per-request' });
    const together = await Promise.all([resultOf(client), resultOf(client)]);
    // Both waited for the one answer.
    expect(together.map(phases)).toEqual(Array(2).fill(['connectStart', 'dns', 'tcp']));
    expect(phases(await resultOf(client))).toEqual(['connectStart', 'tcp']);
  });

  test('are looked up each time by default', async () => {
    const server = await serve();
    const client = clientTo(`http://localhost:${server.port}`, { connection: 'per-request' });
    for (const _ of [1, 2]) expect(phases(await resultOf(client))).toEqual(['connectStart', 'dns', 'tcp']);
  });

  test('of the wrong family are not used', async () => {
    const server = await serve();
    const url = `http://stream.test:${server.port}`;
    const resolve = [{ host: 'stream.test', port: server.port, addresses: ['127.0.0.1'] }];
    expect((await resultOf(clientTo(url, { resolve, ip: 4 }))).outcome.kind).toBe('ok');
    const { outcome } = await resultOf(clientTo(url, { resolve, ip: 6 }));
    expect(outcome).toMatchObject({ kind: 'network', message: 'stream.test has no IPv6 address' });
  });

  const ipv6 = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === '::1'),
  );
  if (!ipv6) process.stderr.write('skipped: this machine has no IPv6 loopback\n');
  test.skipIf(!ipv6)('of both families are filtered by the requested one', async () => {
    const server = await serve({ host: '::1' });
    const url = `http://both.test:${server.port}`;
    const resolve = [{ host: 'both.test', port: server.port, addresses: ['127.0.0.1', '::1'] }];
    const { outcome, connection } = await resultOf(clientTo(url, { resolve, ip: 6 }));
    expect(outcome.kind).toBe('ok');
    expect(connection?.remote).toBe(`[::1]:${server.port}`);
    expect((await resultOf(clientTo(url, { resolve, ip: 4 }))).outcome.code).toBe('ECONNREFUSED');
    // Without a choice the second address is tried when the first refuses.
    expect((await resultOf(clientTo(url, { resolve }))).outcome.kind).toBe('ok');
  });
});

describe.skipIf(process.platform === 'win32')('a unix socket', () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'sb-'));
    open.push({ close: () => rmSync(path, { recursive: true }) });
    return path;
  };

  test.each([false, true])('takes the place of host and port (TLS: %s)', async (secure) => {
    const unix = join(folder(), 's');
    const server = await serve({ unix, secure });
    const client = clientTo(`${secure ? 'https' : 'http'}://stream.test`, { unix, ca: CA });
    await client.warm(2);
    const seen = await resultOf(client);
    expect(seen.outcome.kind).toBe('ok');
    expect(seen.connection).toMatchObject({ reused: true, remote: `unix:${unix}` });
    expect(server.requests[0]!.headers.host).toBe('stream.test');
    client.drop();
    expect(phases(await resultOf(client))).toEqual(['connectStart', 'tcp', ...(secure ? ['tls'] : [])]);
  });

  test('that does not exist is reported', async () => {
    const unix = join(folder(), 'missing');
    const client = clientTo('http://localhost', { unix });
    const { outcome } = await resultOf(client);
    expect(outcome).toMatchObject({ kind: 'network', code: 'ENOENT' });
    expect(outcome.message).toContain(unix);
    expect(outcome.hint).toContain('no unix socket at that path');
    await expect(client.warm(1)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('through a proxy', () => {
  async function behind(options: Parameters<typeof proxyServer>[0] = {}) {
    const proxy = await proxyServer(options);
    open.push(proxy);
    return proxy;
  }

  test('TLS uses a tunnel, and its phases have marks', async () => {
    const server = await serve({ secure: true });
    const proxy = await behind();
    const client = clientTo(server.url, { ca: CA, proxy: proxy.url });
    const seen = await resultOf(client);
    expect(seen.outcome.kind).toBe('ok');
    expect(proxy.heads).toEqual([
      `CONNECT localhost:${server.port} HTTP/1.1\r\nhost: localhost:${server.port}`,
    ]);
    expect(seen.connection).toMatchObject({
      reused: false,
      remote: `127.0.0.1:${proxy.port}`,
      proxy: `127.0.0.1:${proxy.port}`,
      tls: 'TLSv1.3',
    });
    // The proxy looks the name up.
    expect(phases(seen)).toEqual(['connectStart', 'tcp', 'tls']);
    expect((await resultOf(client)).connection?.reused).toBe(true);
    expect(proxy.heads).toHaveLength(1);
  });

  test('warm connections are open tunnels', async () => {
    const server = await serve({ secure: true });
    const proxy = await behind();
    const client = clientTo(server.url, { ca: CA, proxy: proxy.url });
    await client.warm(2);
    expect(server.accepted()).toBe(2);
    expect(await resultOf(client)).toMatchObject({ outcome: { kind: 'ok' }, connection: { reused: true } });
  });

  test.each([true, false])('HTTP/2 goes through a tunnel (TLS: %s)', async (secure) => {
    const server = await serve({ secure, http: 2 });
    const proxy = await behind();
    const client = clientTo(server.url, { ca: CA, proxy: proxy.url, http: 2 });
    const seen = await Promise.all([resultOf(client), resultOf(client)]);
    expect(seen.map(({ outcome }) => outcome.kind)).toEqual(['ok', 'ok']);
    expect(seen[0]!.connection).toMatchObject({ protocol: 'h2', proxy: `127.0.0.1:${proxy.port}` });
    expect(proxy.heads).toHaveLength(1);
  });

  test('bytes of a service that sends first are not lost', async () => {
    const server = await serve({ http: 2 });
    const proxy = await behind({ eager: true });
    const { outcome } = await resultOf(clientTo(server.url, { proxy: proxy.url, http: 2 }));
    expect(outcome.kind).toBe('ok');
  });

  test('plain requests have the complete URL, and credentials are sent to the proxy only', async () => {
    const server = await serve();
    const proxy = await behind();
    const url = proxy.url.replace('//', '//me:p%40ssword@');
    const seen = await resultOf(clientTo(server.url, { proxy: url }));
    expect(seen.outcome.kind).toBe('ok');
    expect(phases(seen)).toEqual(['connectStart', 'tcp']);
    const [head] = proxy.heads;
    expect(head).toMatch(new RegExp(`^POST http://127.0.0.1:${server.port}/v1/chat/completions HTTP/1.1`));
    const basic = Buffer.from('me:p@ssword').toString('base64');
    expect(head).toContain(`proxy-authorization: Basic ${basic}`);
    expect(JSON.stringify(seen)).not.toMatch(/p@ssword|p%40ssword/);
  });

  test.each<[string, string, string, RegExp]>([
    [
      'HTTP/1.1 407 Proxy Authentication Required',
      'PROXY_AUTH',
      'name:password',
      /requires credentials \(HTTP 407/,
    ],
    [
      'HTTP/1.0 403 Forbidden',
      'PROXY_REFUSED',
      'allow',
      /refused to connect to the service \(HTTP 403 Forbidden\)/,
    ],
    ['SSH-2.0-OpenSSH_9.2', 'PROXY_REFUSED', 'ask its operator', /is not an HTTP proxy/],
  ])('that refuses with %s: cause and remedy', async (answer, code, hint, message) => {
    const proxy = await behind({ refuse: () => answer });
    const client = clientTo('https://localhost:9', { proxy: proxy.url.replace('//', '//me:hidden-1@') });
    const { outcome } = await resultOf(client);
    expect(outcome).toMatchObject({ kind: 'network', code, hint: expect.stringContaining(hint) });
    expect(outcome.message).toMatch(message);
    expect(JSON.stringify(outcome)).not.toContain('hidden-1');
    await expect(client.warm(1)).rejects.toMatchObject({ code });
  });

  test('a plain request for which the proxy requires credentials', async () => {
    const proxy = await behind({ refuse: () => 'HTTP/1.1 407 Who are you\r\nconnection: close' });
    const { outcome } = await resultOf(clientTo('http://localhost:9', { proxy: proxy.url }));
    expect(outcome).toMatchObject({
      kind: 'http_error',
      status: 407,
      hint: expect.stringContaining('name:password'),
    });
  });

  test('that is unreachable is named as the proxy', async () => {
    const gone = await proxyServer();
    await gone.close();
    const client = clientTo('https://localhost:9', { proxy: gone.url });
    const { outcome } = await resultOf(client);
    expect(outcome).toMatchObject({ kind: 'network', code: 'PROXY_UNREACHABLE' });
    expect(outcome.message).toContain(
      `the proxy 127.0.0.1:${gone.port} cannot be reached: connect ECONNREFUSED`,
    );
    const error = await client.warm(1).catch((cause: Error) => cause);
    expect(networkError(error as Error).hint).toContain("the proxy's address");
  });

  test('that never answers ends at the connect limit', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const client = clientTo(
      'https://localhost:9',
      { proxy: `http://127.0.0.1:${port}` },
      { timeouts: { connectMs: 40 } },
    );
    expect((await resultOf(client)).outcome).toMatchObject({ kind: 'timeout', phase: 'connect' });
    await expect(client.warm(1)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    // Both connections were given up, or the server would not close.
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe('how long a connection lasts', () => {
  test('per request: each opens its own, which is closed after it', async () => {
    const server = await serve();
    const client = clientTo(server.url, { connection: 'per-request' });
    for (const _ of [1, 2]) {
      const seen = await resultOf(client);
      expect(seen.connection?.reused).toBe(false);
      expect(phases(seen)).toEqual(['connectStart', 'tcp']);
    }
    expect(server.accepted()).toBe(2);
    await expect.poll(() => server.open()).toBe(0);
  });

  test('per request: warming only checks that the service is reachable', async () => {
    const server = await serve();
    const client = clientTo(server.url, { connection: 'per-request' });
    await client.warm(5);
    await expect.poll(() => [server.accepted(), server.open()]).toEqual([1, 0]);
    expect((await resultOf(client)).connection?.reused).toBe(false);
  });

  test('drop closes idle connections, and the next request opens a new one', async () => {
    const server = await serve();
    const client = clientTo(server.url);
    await client.warm(2);
    client.drop();
    await expect.poll(() => server.open()).toBe(0);
    expect((await resultOf(client)).connection?.reused).toBe(false);
    expect((await resultOf(client)).connection?.reused).toBe(true);
  });
});
