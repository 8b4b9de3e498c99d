import type { Server } from 'node:http';
import { listen } from '../model/listen.ts';
import { type Core, createCore, releaseCore } from './core.ts';
import { createApp } from './http/app.ts';
import { createHttpServer } from './http/server.ts';
import { describeError } from './logger.ts';
import { completeOptions, type ServiceOptions } from './service-options.ts';
import { openStore } from './store.ts';

/** The reference streaming chat service. */
export interface Service {
  /**
   * Opens the message store and starts listening. `port` 0, the default, takes any free port; `host` is `127.0.0.1` by
   * default. Rejects with a `UserError` when the port is taken or the store cannot be opened. Can be called once.
   */
  listen(port?: number, host?: string): Promise<{ url: string; port: number }>;
  /** Base URL, such as `http://127.0.0.1:8090`. Throws while the service does not listen. */
  readonly url: string;
  /**
   * Accepts no new chats, lets the active streams end for up to `drainMs` (default: the setting), then stops those that
   * are left, stores their text as partial, and closes the store. A later call waits for the first one; with `drainMs` 0
   * it stops the streams now.
   */
  close(drainMs?: number): Promise<void>;
  /** Logs and counts an uncaught fault: see `surviveFaults`. */
  reportFault: OnFault;
}

/** Receives uncaught faults, such as a service's log. */
export type OnFault = (kind: 'uncaughtException' | 'unhandledRejection', fault: unknown) => void;

/** Creates a service that does not listen yet. Throws a `UserError` for invalid settings. */
export function createService(options: ServiceOptions): Service {
  const settings = completeOptions(options);
  let running: { core: Core; server: Server; url: string } | undefined;
  let closing: Promise<void> | undefined;

  return {
    async listen(port = 0, host = '127.0.0.1') {
      const store = await openStore(settings.database, settings.clock);
      const sockets = { open: 0 };
      const core = createCore(settings, store, () => sockets.open);
      const server = createHttpServer(createApp(core).fetch, settings, core.log);
      server.on('connection', (socket) => {
        sockets.open++;
        socket.once('close', () => sockets.open--);
      });
      try {
        const { address, ...reached } = await listen(server, port, host);
        core.exposed = !isLoopback(address);
        server.on('error', (error) => core.log.error({ error: error.message }, 'the server failed'));
        running = { core, server, url: reached.url };
        core.log.info({ url: reached.url }, 'listening');
        return reached;
      } catch (error) {
        await core.streams.drain(0);
        releaseCore(core);
        throw error;
      }
    },
    get url() {
      if (running === undefined) throw new Error('the service does not listen yet');
      return running.url;
    },
    reportFault(kind, fault) {
      running?.core.log.error({ kind, error: describeError(fault) }, 'uncaught fault');
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
  // The last bytes of the streams get a moment to leave. Connections that are still open then are cut.
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 200).unref())]);
  server.closeAllConnections();
  await closed;
  releaseCore(core);
  core.log.info('closed');
}

/** True for an address that only this machine can reach. */
function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./i.test(address);
}

/**
 * Keeps this process alive after an uncaught exception or an unhandled rejection, and passes it to `onFault`. For a
 * process that serves many users: a fault in one request must not end the answers of all others. The resources of the
 * failed request are freed by its own time limits. Returns a function that removes the handlers.
 */
export function surviveFaults(onFault: OnFault): () => void {
  const report: OnFault = (kind, fault) => {
    // A log that nobody reads any more must not report its own EPIPE to itself for ever.
    if ((fault as NodeJS.ErrnoException | undefined)?.code === 'EPIPE') return;
    try {
      onFault(kind, fault);
    } catch {
      // The log itself has failed: there is no place left to report that.
    }
  };
  const onException = (fault: unknown) => report('uncaughtException', fault);
  const onRejection = (fault: unknown) => report('unhandledRejection', fault);
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException);
    process.off('unhandledRejection', onRejection);
  };
}
