import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { listen } from '../../src/model/listen.ts';

const servers: Server[] = [];
function newServer(): Server {
  const server = createServer((_req, res) => res.end());
  servers.push(server);
  return server;
}
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1'],
  ['localhost', 'localhost'],
])('a server on %s is reached at http://%s', async (host, urlHost) => {
  const { url, port } = await listen(newServer(), 0, host);
  expect(url).toBe(`http://${urlHost}:${port}`);
  const socket = connect(port, urlHost);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.destroy();
});

test('a port that is taken, and an address of another machine, are user errors', async () => {
  const { port } = await listen(newServer(), 0, '127.0.0.1');
  await expect(listen(newServer(), port, '127.0.0.1')).rejects.toMatchObject({
    code: 'port_in_use',
    problems: [{ message: `port ${port} on 127.0.0.1 is already in use` }],
  });
  // An address for documentation (RFC 5737), which no machine has.
  await expect(listen(newServer(), 0, '192.0.2.1')).rejects.toMatchObject({ code: 'usage' });
});

test('an error after the start is left to the caller', async () => {
  const server = newServer();
  await listen(server, 0, '127.0.0.1');
  expect(server.listenerCount('error')).toBe(0);
});
