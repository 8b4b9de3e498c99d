import type { Socket } from 'node:net';
import { monotonicClock } from '../../src/model/clock.ts';

/**
 * Calls `onRequest` for each HTTP/1.1 request that a socket receives whole, with the time of the read that completed it, on the
 * monotonic clock. Bodies need a length.
 */
export function readRequests(
  socket: Socket,
  onRequest: (request: { method: string; path: string; receivedAt: number }) => void,
): void {
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    const receivedAt = monotonicClock.now();
    text += bytes.toString('latin1');
    for (;;) {
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end + 2))?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      const [method = '', path = ''] = text.split(' ', 2);
      text = text.slice(end + 4 + length);
      onRequest({ method, path, receivedAt });
    }
  });
  socket.on('error', () => socket.destroy());
}
