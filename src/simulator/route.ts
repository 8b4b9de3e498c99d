import type { ChatRequest } from '../model/request.ts';
import type { Dialect, IncomingRequest, WireBody } from '../wire/dialect.ts';
import { DIALECT_NAMES, getDialect } from '../wire/dialects/index.ts';

/** What a request to the simulator is about. */
export type Route =
  | { kind: 'chat'; dialect: Dialect; request: ChatRequest }
  | { kind: 'health' }
  | { kind: 'models' }
  | { kind: 'truth' }
  | { kind: 'refuse'; status: number; body: WireBody; allow?: string };

/** Every dialect there is. Plain ones own `/sse`, `/ndjson` and so on, the others their API's path. */
export function allDialects(): Dialect[] {
  return DIALECT_NAMES.map((name) => getDialect(name));
}

/** The route of a request. Any prefix may stand before a dialect's own path (`/v1`, `/openai/v1`). */
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

/** A refusal, in the dialect's own shape where the dialect is known. */
export function refuse(status: number, message: string, dialect?: Dialect, allow?: string): Route {
  const body = dialect?.encodeError(status, message) ?? {
    contentType: 'application/json',
    body: JSON.stringify({ error: { message, code: String(status) } }),
  };
  return allow === undefined ? { kind: 'refuse', status, body } : { kind: 'refuse', status, body, allow };
}

// A GET has no body to name a model in: `/sse?model=glm-4-flash`.
function withQuery(request: ChatRequest, query: URLSearchParams): ChatRequest {
  const model = request.model ?? query.get('model') ?? undefined;
  return model === undefined ? request : { ...request, model };
}
