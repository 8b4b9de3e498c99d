import type { Socket } from 'node:net';
import type { ServiceOptions } from '../../src/service/index.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';
import { clientOf, startService } from './support.ts';

/**
 * A service in front of a model whose bytes the test writes. `models` are the model's connections with a request, in
 * their order. The service and the model are added to `open`.
 */
export async function startPuppet(open: { close(): Promise<void> }[], options: Partial<ServiceOptions> = {}) {
  const models: Socket[] = [];
  const server = await rawServer((socket) => {
    models.push(socket);
    // Providers begin with a chunk that says who is talking; the service's own answer begins with it.
    socket.write(SSE_HEAD + chunked(chatChunk({ role: 'assistant', content: '' })));
  });
  open.push(server);
  const upstream = { name: 'puppet', model: 'm', client: clientOf(`${server.url}/v1`) };
  const service = await startService([upstream], options);
  open.push(service);
  return { server, models, service };
}

/** The model's bytes for one piece of text. */
export const say = (text: string) => chunked(chatChunk({ content: text }));

/** The model's bytes for the regular end of its answer. */
export const finish = chunked(`${chatChunk({}, 'stop')}data: [DONE]\n\n`) + CHUNKED_END;
