import { parentPort } from 'node:worker_threads';
import { readServer, type ServerWatch, watchServer } from './server-reading.ts';
import type { WatchReply, WatchRequest } from './server-watch.ts';

// The thread that reads the metrics of servers: the one that measures has nothing to do with it.

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread only');
const watches = new Map<number, ServerWatch>();
const say = (reply: WatchReply) => port.postMessage(reply);

async function handle(request: WatchRequest): Promise<void> {
  const { id } = request;
  switch (request.type) {
    case 'read':
      return say({ id, result: await readServer(request.url) });
    case 'watch':
      watches.set(id, watchServer(request.url));
      return;
    case 'stop': {
      const watch = watches.get(id)!;
      watches.delete(id);
      return say({ id, result: await watch.stop() });
    }
    default:
      return request satisfies never;
  }
}

port.on('message', (request: WatchRequest) => void handle(request));
