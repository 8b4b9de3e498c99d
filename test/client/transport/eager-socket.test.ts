import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { EagerSocket } from '../../../src/client/transport/eager-socket.ts';

const open: (Server | Socket)[] = [];
afterEach(() => {
  for (const item of open.splice(0)) 'destroy' in item ? item.destroy() : item.close();
});

/** An eager socket and the other end of it. */
async function pair(): Promise<{ socket: EagerSocket; other: Socket }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const accepted = new Promise<Socket>((done) => server.once('connection', done));
  const socket = new EagerSocket();
  socket.connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  const other = await accepted;
  open.push(server, socket, other);
  return { socket, other };
}

/** Calls `look` each time that the socket says it is readable, until it answers with something. */
function readable<T>(socket: Socket, look: () => T | undefined): Promise<T> {
  return new Promise((done) =>
    socket.on('readable', () => {
      const seen = look();
      if (seen !== undefined) done(seen);
    }),
  );
}

describe('an eager socket', () => {
  test('passes a chunk on when it is read, without queueing it', async () => {
    const { socket, other } = await pair();
    const seen = readable(socket, () => {
      const queued = socket.readableLength;
      const chunk = socket.read();
      return chunk === null ? undefined : { text: String(chunk), queued, more: socket.read() };
    });
    other.write('hello');
    expect(await seen).toEqual({ text: 'hello', queued: 0, more: null });
  });

  test('passes copies, and lends its memory only if enabled', async () => {
    for (const lends of [false, true]) {
      const { socket, other } = await pair();
      socket.lends = lends;
      const kept: Buffer[] = [];
      const all = readable(socket, () => {
        const chunk = socket.read();
        if (chunk !== null) kept.push(chunk);
        if (kept.length === 1) other.write('BBBB');
        return kept.length === 2 ? kept : undefined;
      });
      other.write('AAAA');
      expect((await all).map(String)).toEqual(lends ? ['BBBB', 'BBBB'] : ['AAAA', 'BBBB']);
    }
  });

  test('is an ordinary stream for a data listener', async () => {
    const { socket, other } = await pair();
    const whole = 'x'.repeat(1_000_000);
    other.end(whole);
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toHaveLength(whole.length);
  });

  test('queues what is not consumed at once, in order, and stops reading', async () => {
    const { socket, other } = await pair();
    let sent = 0;
    const byte = () => Buffer.alloc(50_000, sent++ % 251);
    // Nobody reads until the kernel takes no more: all that is in the queue came in without a reader.
    const stuck = new Promise<void>((done) => {
      const fill = () => {
        while (other.write(byte()));
        done();
      };
      fill();
    });
    socket.once('readable', () => {});
    await stuck;
    other.end();
    const chunks: Buffer[] = [];
    await new Promise<void>((done) => socket.on('data', (chunk) => chunks.push(chunk)).once('end', done));
    const all = Buffer.concat(chunks);
    expect(all.byteLength).toBe(sent * 50_000);
    for (let i = 0; i < sent; i++) expect(all[i * 50_000]).toBe(i % 251);
  });

  test('ends when the other side ends, also during eager reading', async () => {
    const { socket, other } = await pair();
    let text = '';
    socket.on('readable', () => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) text += chunk;
    });
    const ended = new Promise((done) => socket.once('end', done));
    other.end('bye');
    await ended;
    expect(text).toBe('bye');
  });
});
