import { connect as connectTcp, isIP, type Socket, type TcpSocketConnectOpts } from 'node:net';
import {
  connect as connectTls,
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { Clock } from '../../model/clock.ts';
import type { ConnectOptions } from '../../model/plan.ts';
import type { ConnectionInfo } from '../../model/record.ts';
import { checkAuthority } from './authority.ts';
import { type ConnectPhases, connectError } from './connection.ts';
import { EagerSocket } from './eager-socket.ts';
import { HostResolver } from './host-resolver.ts';
import { type HttpProxy, hostnameOf, openTunnel, type ProxyEnv, portOf, proxyFor } from './proxy.ts';

/** An open connection, and the phases of opening it. */
export interface OpenSocket {
  socket: Socket;
  phases: ConnectPhases;
}

/** A connection that is being opened. */
export interface PendingDial {
  /** Aborts it; the dialer calls back with this error, unless it has called back before. */
  destroy(error: Error): void;
}

/** Calls back once, with an error or with the result. */
export type DialDone<T> = (...outcome: [error: Error, result: null] | [error: null, result: T]) => void;

type Done = DialDone<Socket>;

/**
 * Opens connections to one origin: directly, by a unix socket or through a proxy, with TLS for https. TLS sessions are not
 * resumed, so that every new connection costs the same.
 */
export class Dialer {
  readonly origin: URL;
  /** Absent for direct connections. */
  readonly proxy: HttpProxy | undefined;
  /** Requests are sent to the proxy with the complete URL, instead of through a tunnel. */
  readonly absoluteForm: boolean;
  private readonly clock: Clock;
  private readonly options: ConnectOptions;
  private readonly resolver: HostResolver;
  private readonly secureContext: SecureContext | undefined;

  /** Throws a `UserError` for an invalid proxy or certificate authority. */
  constructor(origin: URL, clock: Clock, options: ConnectOptions, env: ProxyEnv) {
    this.origin = origin;
    this.clock = clock;
    this.options = options;
    this.resolver = new HostResolver(options);
    this.proxy = options.unix === undefined ? proxyFor(origin, options.proxy, env) : undefined;
    const secure = origin.protocol === 'https:';
    this.absoluteForm = this.proxy !== undefined && !secure && options.http !== 2;
    // Created once: parsing the authorities for every connection would take longer than the handshake.
    if (secure || this.proxy?.secure) this.secureContext = contextFor(options.ca);
  }

  /** Opens a connection and calls back once. */
  dial(done: DialDone<OpenSocket>): PendingDial {
    const { origin, proxy, clock } = this;
    const phases: ConnectPhases = { startedAt: clock.now() };
    let current: Socket | undefined;
    let over = false;
    const finish: Done = (error, socket) => {
      if (over) return;
      over = true;
      if (error !== null) {
        current?.destroy();
        done(error, null);
      } else done(null, { socket, phases });
    };
    const hostname = hostnameOf(origin);
    const port = portOf(origin);
    const secure = origin.protocol === 'https:';
    if (proxy === undefined) {
      current = this.reach({ hostname, port, secure, alpn: this.alpn() }, phases, (error, socket) => {
        if (error !== null) finish(error, null);
        else if (secure) this.checkAlpn(socket as TLSSocket, finish);
        else finish(null, socket);
      });
    } else {
      current = this.reach({ ...proxy, alpn: ['http/1.1'] }, phases, (error, socket) => {
        if (error !== null) {
          const message = `the proxy ${proxy.name} cannot be reached: ${error.message || codeOf(error)}`;
          return finish(connectError('PROXY_UNREACHABLE', message, error), null);
        }
        if (this.absoluteForm) return finish(null, socket);
        openTunnel(socket, proxy, `${origin.hostname}:${port}`, (refused) => {
          const atMs = clock.now();
          if (refused !== undefined) return finish(refused, null);
          phases.tcpAt = atMs;
          delete phases.tlsAt;
          if (!secure) return finish(null, socket);
          current = this.secure(socket, phases, finish);
        });
      });
    }
    return {
      destroy(error) {
        finish(error, null);
        current?.destroy();
      },
    };
  }

  /** The properties of a connection that do not depend on a request. */
  describe(socket: Socket | undefined): Omit<ConnectionInfo, 'reused' | 'protocol'> {
    const info: Omit<ConnectionInfo, 'reused' | 'protocol'> = {};
    if (this.options.unix !== undefined) info.remote = `unix:${this.options.unix}`;
    else if (socket?.remoteAddress !== undefined) {
      const host = socket.remoteFamily === 'IPv6' ? `[${socket.remoteAddress}]` : socket.remoteAddress;
      info.remote = `${host}:${socket.remotePort}`;
    }
    const { getProtocol, alpnProtocol } = (socket ?? {}) as Partial<TLSSocket>;
    const tls = getProtocol?.call(socket as TLSSocket);
    if (tls) info.tls = tls;
    if (alpnProtocol) info.alpn = alpnProtocol;
    if (this.proxy !== undefined) info.proxy = this.proxy.name;
    return info;
  }

  // HTTP/1.1 is also offered for HTTP/2: a service without HTTP/2 is then recognised by its choice, not by a failed handshake.
  private alpn(): string[] {
    return this.options.http === 2 ? ['h2', 'http/1.1'] : ['http/1.1'];
  }

  private checkAlpn(socket: TLSSocket, done: Done): void {
    if (this.options.http !== 2 || socket.alpnProtocol === 'h2') done(null, socket);
    else {
      const message = `the service does not offer HTTP/2 (ALPN agreed on ${socket.alpnProtocol || 'nothing'})`;
      done(connectError('HTTP2_UNAVAILABLE', message), null);
    }
  }

  /** Opens TCP or a unix socket, and TLS if `to` is secure. */
  private reach(
    to: { hostname: string; port: number; secure: boolean; alpn: string[] },
    phases: ConnectPhases,
    done: Done,
  ): Socket {
    const { clock, options } = this;
    const { lookup, queriesDns } = this.resolver.for(to.hostname, to.port);
    const where = {
      // Needed with a unix socket too: TLS checks the certificate against it.
      host: to.hostname,
      port: to.port,
      path: options.unix,
      family: options.ip,
      lookup,
    } satisfies TcpSocketConnectOpts & { path?: string };
    const socket: Socket = to.secure
      ? connectTls({ ...where, ...this.tlsOptions(to.hostname, to.alpn) })
      : this.proxy === undefined && options.http !== 2
        ? new EagerSocket(options.readBytes).connect(where)
        : connectTcp({ ...where, highWaterMark: 65_536 } as TcpSocketConnectOpts);
    socket.setNoDelay(true).setKeepAlive(true, 60_000);
    let isDone = false;
    const finish: Done = (...outcome) => {
      if (isDone) return;
      isDone = true;
      done(...outcome);
    };
    if (queriesDns) {
      socket.once('lookup', () => {
        phases.dnsAt = clock.now();
      });
    }
    socket.prependOnceListener('connect', () => {
      phases.tcpAt = clock.now();
      if (!to.secure) finish(null, socket);
    });
    if (to.secure) stampTls(socket, phases, clock, () => finish(null, socket));
    // Never removed: an error of an idle socket must not be an uncaught exception.
    socket.on('error', (error) => finish(error, null));
    return socket;
  }

  /** Starts TLS with the service inside a tunnel. */
  private secure(tunnel: Socket, phases: ConnectPhases, done: Done): Socket {
    const hostname = hostnameOf(this.origin);
    const socket = connectTls({
      socket: tunnel,
      host: hostname,
      ...this.tlsOptions(hostname, this.alpn()),
    });
    stampTls(socket, phases, this.clock, () => this.checkAlpn(socket, done));
    socket.on('error', (error) => done(error, null));
    return socket;
  }

  private tlsOptions(hostname: string, alpn: string[]) {
    return {
      // SNI does not allow IP addresses.
      servername: isIP(hostname) === 0 ? hostname : '',
      ALPNProtocols: alpn,
      secureContext: this.secureContext,
      rejectUnauthorized: this.options.insecure !== true,
      highWaterMark: 16_384,
    };
  }
}

function stampTls(socket: Socket, phases: ConnectPhases, clock: Clock, done: () => void): void {
  socket.prependOnceListener('secureConnect', () => {
    phases.tlsAt = clock.now();
    done();
  });
}

function contextFor(ca: string | undefined): SecureContext {
  if (ca === undefined) return createSecureContext();
  checkAuthority(ca);
  return createSecureContext({ ca: [...rootCertificates, ca] });
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
