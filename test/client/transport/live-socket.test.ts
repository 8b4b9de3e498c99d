import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { EagerSocket } from '../../../src/client/transport/eager-socket.ts';
import { LiveSocket } from '../../../src/client/transport/live-socket.ts';

const open: (Server | EagerSocket)[] = [];
afterEach(() => {
  for (const item of open.splice(0)) 'destroy' in item ? item.destroy() : item.close();
});

async function connected(now: () => number): Promise<{ live: LiveSocket; socket: EagerSocket }> {
  const server = createServer((other) => other.resume());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const socket = new EagerSocket();
  await new Promise<void>((done) =>
    socket.connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, done),
  );
  open.push(server, socket);
  const clock = { now, wallTime: () => new Date(0) };
  return {
    live: new LiveSocket({ socket, phases: { startedAt: 0 } }, clock, { openedAhead: false }),
    socket,
  };
}

test('a request is sent when its last write begins, however late the stamp after it is', async () => {
  let now = 10;
  const { live, socket } = await connected(() => now);
  socket.cork();
  socket.write('head');
  socket.write('body');
  now = 20;
  socket.uncork();
  // The server may have run, and answered, before this.
  now = 90;
  expect(live.begin(now)).toBe(20);
});

test('a write of an earlier request is not taken for one of the next', async () => {
  let now = 10;
  const { live, socket } = await connected(() => now);
  socket.write('first');
  expect(live.begin(11)).toBe(10);
  now = 50;
  expect(live.begin(now)).toBe(50);
});
