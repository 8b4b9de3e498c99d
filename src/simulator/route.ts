import type { ChatRequest } from '../model/request.ts';
import type { Dialect, IncomingRequest, WireBody } from '../wire/dialect.ts';
import { DIALECT_NAMES, getDialect } from '../wire/dialects/index.ts';

/** The kind of a request to the simulator. */
export type Route =
  | { kind: 'chat'; dialect: Dialect; request: ChatRequest }
  | { kind: 'health' }
  | { kind: 'models' }
  | { kind: 'truth' }
  | { kind: 'refuse'; status: number; body: WireBody; allow?: string };

/** All dialects. A plain dialect has the path `/sse`, `/ndjson` or `/raw`, any other one the path of its API. */
export function allDialects(): Dialect[] {
  return DIALECT_NAMES.map((name) => getDialect(name));
}

/** The route of a request. A dialect's path may have any prefix (`/v1`, `/openai/v1`). */
export function route(incoming: IncomingRequest, dialects: readonly Dialect[]): Route {
  const { method, path } = incoming;
  const page = PAGES.find(({ owns }) => owns(path));
  if (page !== undefined) {
    return method === 'GET'
      ? { kind: page.kind }
      : refuse(405, `${path} takes GET, not ${method}`, undefined, 'GET');
  }
  if (method === 'POST' || method === 'GET') {
    for (const dialect of dialects) {
      const request = dialect.parseRequest(incoming);
      if (request !== undefined)
        return { kind: 'chat', dialect, request: withQuery(request, incoming.query) };
    }
  }
  const owner = dialects.find((dialect) => dialect.ownsPath(path));
  if (owner === undefined) return refuse(404, `no such path: ${path}`);
  if (method !== 'POST') return refuse(405, `${path} takes POST, not ${method}`, owner, 'POST');
  return refuse(400, `the body is not a request of the dialect ${owner.name}`, owner);
}

const PAGES: readonly { kind: 'health' | 'models' | 'truth'; owns(path: string): boolean }[] = [
  { kind: 'health', owns: (path) => path === '/health' },
  { kind: 'truth', owns: (path) => path === '/__truth' },
  { kind: 'models', owns: (path) => path.endsWith('/v1/models') },
];

/** An HTTP error, with the dialect's error body if the dialect is known. */
export function refuse(status: number, message: string, dialect?: Dialect, allow?: string): Route {
  const body = dialect?.encodeError(status, message) ?? {
    contentType: 'application/json',
    body: JSON.stringify({ error: { message, code: String(status) } }),
  };
  return { kind: 'refuse', status, body, allow };
}

// A GET has no body, so the query may name the model: `/sse?model=glm-4-flash`.
function withQuery(request: ChatRequest, query: URLSearchParams): ChatRequest {
  const model = request.model ?? query.get('model') ?? undefined;
  return model === undefined ? request : { ...request, model };
}
