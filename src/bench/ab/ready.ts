import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { monotonicClock } from '../../model/clock.ts';

/** When a started server counts as ready. */
export interface ReadyCheck {
  url: string;
  /** The status must be below 400. Otherwise any HTTP response will do: an endpoint may refuse a GET. */
  mustSucceed: boolean;
}

const POLL_MS = 50;
const ATTEMPT_MS = 2_000;

/**
 * Waits until the server is ready: its port accepts a connection, then a GET is answered. Resolves with what is missing (`no HTTP
 * response yet`), or with undefined when ready. Ends early when the signal is aborted.
 */
export async function untilReady(
  { url, mustSucceed }: ReadyCheck,
  {
    timeoutMs,
    signal,
    now = monotonicClock.now,
  }: { timeoutMs: number; signal: AbortSignal; now?: () => number },
): Promise<string | undefined> {
  const until = now() + timeoutMs;
  let missing = 'not tried';
  while (!signal.aborted && now() < until) {
    const { hostname, port, protocol } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    const connected = await canConnect(host, Number(port || (protocol === 'https:' ? 443 : 80)));
    if (connected !== undefined) missing = connected;
    else {
      const status = await statusOf(url);
      if (typeof status === 'number' && (!mustSucceed || status < 400)) return undefined;
      missing = typeof status === 'number' ? `GET ${url} is answered with status ${status}` : status;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return missing;
}

function canConnect(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ATTEMPT_MS });
    const end = (missing?: string) => {
      socket.destroy();
      resolve(missing);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end(`no connection to ${host}:${port} within ${ATTEMPT_MS / 1000} s`));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(`cannot connect to ${host}:${port} (${error.code ?? error.message})`),
    );
  });
}

function statusOf(url: string): Promise<number | string> {
  return new Promise((resolve) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(url, { timeout: ATTEMPT_MS, agent: false }, (response) => {
      resolve(response.statusCode ?? 0);
      // A stream that never ends must not keep the connection.
      response.destroy();
    });
    request.once('timeout', () => request.destroy(new Error('timeout')));
    request.once('error', (error: NodeJS.ErrnoException) =>
      resolve(`GET ${url} is not answered (${error.code ?? error.message})`),
    );
    request.end();
  });
}
