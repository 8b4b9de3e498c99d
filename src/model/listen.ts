import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError } from './errors.ts';

/** Where a server listens. */
export interface ListenAddress {
  /** For clients: `http://HOST:PORT`. A wildcard host is replaced by a loopback address. */
  url: string;
  port: number;
  /** The IP address of the socket. */
  address: string;
}

/** Starts listening. `port` 0 takes any free port. Rejects with a `UserError` when the port or the host cannot be used. */
export function listen(server: Server, port: number, host: string): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(listenError(error, port, host));
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      const { port: boundPort, address } = server.address() as AddressInfo;
      resolve({ url: `http://${urlHost(host)}:${boundPort}`, port: boundPort, address });
    });
  });
}

/** The host of a URL that reaches a server listening on `host`. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): UserError {
  if (error.code === 'EADDRINUSE') {
    return new UserError('port_in_use', {
      message: `port ${port} on ${host} is already in use`,
      hint: 'choose another port, or 0 for any free one',
    });
  }
  return new UserError('usage', {
    message: `cannot listen on ${host}, port ${port}: ${error.message}`,
    hint: 'choose an address of this machine, and a port above 1023, or 0 for any free one',
  });
}
