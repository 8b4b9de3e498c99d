import { parentPort } from 'node:worker_threads';
import { type ServerWatch, serverReaders, watchServer } from './server-reading.ts';
import type { WatchReply, WatchRequest } from './server-watch.ts';

// The worker thread that reads server metrics, so that the measuring thread does not spend time on it.

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread only');
const readerOf = serverReaders();
const watches = new Map<number, ServerWatch>();
const reply = (message: WatchReply) => port.postMessage(message);

async function handle(request: WatchRequest): Promise<void> {
  const { id } = request;
  switch (request.type) {
    case 'read':
      return reply({ id, result: await readerOf(request.url).read() });
    case 'watch':
      watches.set(id, watchServer(readerOf(request.url)));
      return;
    case 'stop': {
      const watch = watches.get(id);
      watches.delete(id);
      return reply({ id, result: (await watch?.stop()) ?? null });
    }
    default:
      return request satisfies never;
  }
}

port.on('message', (request: WatchRequest) => void handle(request));
