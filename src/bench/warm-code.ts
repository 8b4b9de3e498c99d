import { createServer, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createClient } from '../client/client.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { FRAMINGS } from '../wire/framing/framings.ts';

const STREAMS = 8;
const CHUNKS = 40;

/**
 * Warms up the client's code with a few requests to a loopback server. The first request of a process is several milliseconds
 * slower, because its code is not compiled yet; without the warm-up a probe would measure that request, and the first cell of a
 * short run would report a saturated client. Errors are ignored: the measurement then starts cold.
 */
export async function warmCode(dialectName: string, http: 1 | 2 = 1): Promise<void> {
  const dialect = getDialect(dialectName);
  const { contentType, write } = FRAMINGS[dialect.framing];
  const encode = dialect.encoder({ id: 'warm-up', model: 'warm-up', createdSeconds: 0 });
  const answer = [
    { type: 'start' } as const,
    ...Array.from({ length: CHUNKS }, () => ({ type: 'message_chunk', text: 'warm ' }) as const),
    { type: 'complete', finish: 'stop' } as const,
  ].flatMap((event) => encode(event).map((frame) => write(frame)));

  const reply = (response: ServerResponse | Http2ServerResponse) => {
    response.writeHead(200, { 'content-type': contentType });
    for (const piece of answer) (response as ServerResponse).write(piece);
    response.end();
  };
  const sockets = new Set<Socket>();
  const server: Server =
    http === 2
      ? createHttp2Server((_request, response) => reply(response))
      : createServer((_request, response) => reply(response));
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const client = createClient({
      baseUrl: `http://127.0.0.1:${port}`,
      dialect: dialectName,
      model: 'warm-up',
      unsupportedOptions: 'omit',
      connect: { http },
    });
    for (let i = 0; i < STREAMS; i++) {
      // With new connections at intervals, because connecting is measured too.
      if (i % 4 === 0) client.drop();
      await client.stream({ prompt: 'warm-up', maxTokens: CHUNKS }).result;
    }
    client.close();
  } catch {
    // A machine without a free loopback port can still measure.
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
