import { connect } from 'node:net';
import { afterEach } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import {
  createService,
  createToken,
  type Service,
  type ServiceOptions,
  type Upstream,
} from '../../src/service/index.ts';
import { createSimulator, type ProfileInput, type Simulator } from '../../src/simulator/index.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { FRAMINGS } from '../../src/wire/framing/framings.ts';

export const SECRET = 'a secret that is long enough for HS256';

/** A running service with what a test needs to talk to it. */
export interface TestService {
  service: Service;
  url: string;
  token: string;
  /** POSTs a JSON body with the token; `init` wins over both. */
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  get(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** A list whose items are closed after each test of the calling file, the last one first. */
export function closedAfterEach(): { close(): Promise<void> }[] {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const item of open.splice(0).reverse()) await item.close();
  });
  return open;
}

export async function startService(
  upstreams: readonly Upstream[],
  options: Partial<ServiceOptions> = {},
): Promise<TestService> {
  const service = createService({ secret: SECRET, upstreams, drainMs: 200, ...options });
  const { url } = await service.listen();
  const token = await createToken(SECRET, { subject: 'ada' });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return {
    service,
    url,
    token,
    post: (path, body, init) =>
      fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body), ...init }),
    get: (path, init) => fetch(url + path, { headers, ...init }),
    async close() {
      await service.close();
      for (const { client } of upstreams) client.close();
    },
  };
}

const steady = (value: number) => ({ shape: 'constant', mean: value, sd: 0 }) as const;

/** Models whose timing a test can rely on. */
export const PROFILES: Record<string, ProfileInput> = {
  quick: { ttft: steady(1), gap: steady(0), tokens: steady(12) },
  paced: { ttft: steady(20), gap: steady(10), tokens: steady(12) },
  unhurried: { ttft: steady(20), gap: steady(100), tokens: steady(12) },
  long: { ttft: steady(1), gap: steady(20), tokens: steady(500) },
  thinking: { ttft: steady(1), gap: steady(0), tokens: steady(4), thinking: 3 },
  failing: { ttft: steady(1), gap: steady(0), tokens: steady(12), error: { rate: 1, kind: 'inband' } },
  cut: { ttft: steady(1), gap: steady(0), tokens: steady(12), error: { rate: 1, kind: 'truncate' } },
  limited: { ttft: steady(1), gap: steady(0), tokens: steady(12), error: { rate: 1, kind: 'http_429' } },
};

export interface TestStack extends TestService {
  simulator: Simulator;
}

/** A service in front of a simulator with the models of `PROFILES`. */
export async function startStack(options: Partial<ServiceOptions> = {}, model = 'quick'): Promise<TestStack> {
  const simulator = createSimulator({ profiles: PROFILES });
  const { url } = await simulator.listen();
  const upstream = { name: 'simulator', model, client: clientOf(`${url}/v1`) };
  const service = await startService([upstream], options);
  return {
    ...service,
    simulator,
    async close() {
      await service.close();
      await simulator.close();
    },
  };
}

export function clientOf(baseUrl: string) {
  return createClient({ baseUrl, dialect: 'openai-chat' });
}

/** The events of a finished SSE body, and its comments. */
export function decode(dialect: string, body: string): { events: StreamEvent[]; comments: string[] } {
  const decoder = getDialect(dialect).decoder();
  const events: StreamEvent[] = [];
  const comments: string[] = [];
  const parser = FRAMINGS.sse.parser({
    frame: (frame) => events.push(...decoder.decode(frame)),
    comment: (text) => comments.push(text),
  });
  parser.push(new TextEncoder().encode(body));
  parser.end();
  events.push(...decoder.end());
  return { events, comments };
}

export function textOf(events: readonly StreamEvent[]): string {
  return events.map((event) => (event.type === 'message_chunk' ? event.text : '')).join('');
}

/** Sends a request by hand and gives every byte that comes back until the server closes. */
export function rawRequest(url: string, lines: readonly string[], body = ''): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let bytes = '';
    socket.setEncoding('utf8');
    socket.on('data', (text) => (bytes += text));
    socket.on('end', () => resolve(bytes));
    socket.on('error', reject);
    socket.write(`${[...lines, `content-length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`);
  });
}

/** The JSON of a response, taken for what the test knows it to be. */
export async function jsonOf<T>(response: Response | Promise<Response>): Promise<T> {
  return (await (await response).json()) as T;
}

/** A message as `/sessions/{id}/messages` shows it. */
export interface ShownMessage {
  role: string;
  content: string;
  partial?: boolean;
  reason?: string;
  model?: string;
}

/** The messages of a session. */
export async function messagesOf(
  service: Pick<TestService, 'get'>,
  session: string,
): Promise<ShownMessage[]> {
  return (
    (await jsonOf<{ messages?: ShownMessage[] }>(service.get(`/sessions/${session}/messages`))).messages ?? []
  );
}

/** Waits until `ready` holds, looking at it every few milliseconds. */
export async function until(ready: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await ready())) {
    if (performance.now() > end) throw new Error(`still not so after ${limitMs} ms: ${ready}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
