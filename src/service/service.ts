import type { Server } from 'node:http';
import { listen } from '../model/listen.ts';
import { createRedactor } from '../model/redaction/redactor.ts';
import type { Core } from './core.ts';
import type { OnFault } from './faults.ts';
import { createApp } from './http/app.ts';
import { createAuthenticator } from './http/auth.ts';
import { describeError } from './http/http-error.ts';
import { createHttpServer } from './http/server.ts';
import { TicketBox } from './http/tickets.ts';
import { UserRequests } from './http/user-requests.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './service-metrics.ts';
import { completeOptions, type ServiceOptions } from './service-options.ts';
import { openStore } from './store.ts';
import { LiveStreams } from './stream/live-streams.ts';

/** The reference streaming chat service. */
export interface Service {
  /**
   * Opens the message store and the door. `port` 0, the default, takes any free one; `host` is `127.0.0.1` by default.
   * Rejects with a `UserError` when the port is taken or the store cannot be opened. Once only.
   */
  listen(port?: number, host?: string): Promise<{ url: string; port: number }>;
  /** Base of every address, such as `http://127.0.0.1:8090`. Throws while the service does not listen. */
  readonly url: string;
  /**
   * Takes no new chats, lets the streams under way end for up to `drainMs` (default: the setting), then ends those that
   * are left, with their text stored as partial, and closes the store. A later call waits for the first; with `drainMs` 0 it
   * ends the streams now.
   */
  close(drainMs?: number): Promise<void>;
  /** Writes a fault that nobody caught into the log: see `surviveFaults`. */
  reportFault: OnFault;
}

/** A service that does not listen yet. Throws a `UserError` for settings that make no sense. */
export function createService(options: ServiceOptions): Service {
  const settings = completeOptions(options);
  const { clock } = settings;
  let running: { core: Core; server: Server; url: string } | undefined;
  let closing: Promise<void> | undefined;

  return {
    async listen(port = 0, host = '127.0.0.1') {
      const store = await openStore(settings.database, clock);
      let connections = 0;
      const streams = new LiveStreams(settings, clock);
      const keys = settings.upstreams.flatMap(({ secrets = [] }) => secrets);
      const core: Core = {
        settings,
        store,
        streams,
        authenticate: createAuthenticator(settings.secret, clock),
        tickets: new TicketBox(clock),
        userRequests: new UserRequests(settings.requestsPerMinute, clock),
        redactor: createRedactor(keys),
        metrics: createMetrics({
          activeStreams: () => streams.active,
          peakStreams: () => streams.peakActive,
          connections: () => connections,
        }),
        log: createLogger(
          settings.log,
          createRedactor([...keys, { name: '[jwt secret]', value: settings.secret }]),
        ),
        draining: false,
        exposed: true,
        startedAtMs: clock.now(),
        connections: () => connections,
      };
      const app = createApp(core);
      const server = createHttpServer(app.fetch, settings, core.log);
      server.on('connection', (socket) => {
        connections++;
        socket.once('close', () => connections--);
      });
      try {
        const { address, ...reached } = await listen(server, port, host);
        core.exposed = !isLoopback(address);
        server.on('error', (error) => core.log.error({ error: error.message }, 'the server failed'));
        running = { core, server, url: reached.url };
        core.log.info({ url: reached.url }, 'listening');
        return reached;
      } catch (error) {
        await streams.drain(0);
        core.tickets.close();
        core.metrics.close();
        store.close();
        throw error;
      }
    },
    get url() {
      if (running === undefined) throw new Error('the service does not listen yet');
      return running.url;
    },
    reportFault(kind, fault) {
      running?.core.log.error({ kind, error: describeError(fault) }, 'a fault that nobody caught');
      running?.core.metrics.fault();
    },
    close(drainMs = settings.drainMs) {
      if (closing !== undefined && drainMs === 0) running?.core.streams.stopAll();
      closing ??= running === undefined ? Promise.resolve() : shutDown(running.core, running.server, drainMs);
      return closing;
    },
  };
}

async function shutDown(core: Core, server: Server, drainMs: number): Promise<void> {
  core.draining = true;
  core.log.info({ streams: core.streams.active, drainMs }, 'closing');
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await core.streams.drain(drainMs);
  // The last bytes of the streams are given a moment to leave; connections that still wait for something are cut.
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 200).unref())]);
  server.closeAllConnections();
  await closed;
  core.tickets.close();
  core.metrics.close();
  core.store.close();
  core.log.info('closed');
}

/** True for an address that only this machine can reach. */
function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./i.test(address);
}
