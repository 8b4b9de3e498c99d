import { connect, createServer, type Socket } from 'node:net';

/** A proxy whose bytes are written by hand. */
export interface ProxyServer {
  url: string;
  port: number;
  /** The heads of the requests that reached it. */
  heads: string[];
  close(): Promise<void>;
}

/**
 * Makes tunnels for CONNECT, and sends requests that name their whole URL on to its host. `refuse` gives the status line
 * and headers of a refusal, or undefined to let a request pass. With `eager`, the answer to CONNECT and the first words of
 * the service come in one piece.
 */
export async function proxyServer({
  refuse = () => undefined,
  eager = false,
}: {
  refuse?: (head: string) => string | undefined;
  eager?: boolean;
} = {}): Promise<ProxyServer> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    keep(client);
    let text = '';
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      client.off('data', onData);
      const head = text.slice(0, end);
      heads.push(head);
      const refusal = refuse(head);
      if (refusal !== undefined) return client.end(`${refusal}\r\n\r\n`);
      const [, method, target = ''] = /^(\w+) (\S+)/.exec(head) ?? [];
      const url = new URL(method === 'CONNECT' ? `http://${target}` : target);
      const service = keep(connect(Number(url.port), '127.0.0.1'));
      service.on('close', () => client.destroy());
      client.on('close', () => service.destroy());
      if (method === 'CONNECT' && eager) {
        service.once('data', (first: Buffer) => {
          client.write(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), first]));
          service.pipe(client);
        });
      } else if (method === 'CONNECT') {
        // In two pieces, as a network may deliver it.
        client.write('HTTP/1.1 200 Connec');
        setImmediate(() => client.write('tion established\r\nvia: test\r\n\r\n'));
        setImmediate(() => setImmediate(() => service.pipe(client)));
      } else {
        const path = `${url.pathname}${url.search}`;
        service.write(Buffer.from(text.replace(target, path), 'latin1'));
        service.pipe(client);
      }
      client.pipe(service);
    };
    client.on('data', onData);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    heads,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
