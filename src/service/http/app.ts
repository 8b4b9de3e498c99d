import { type ChatCall, guardStore } from '../chat.ts';
import type { Core } from '../core.ts';
import { describeError } from '../logger.ts';
import { type ContentfulStatusCode, type Context, cors, Hono, RESPONSE_ALREADY_SENT } from '../packages.ts';
import type { StoredMessage } from '../store.ts';
import { respondToBatch } from '../stream/batch.ts';
import { respond } from '../stream/respond.ts';
import { allowOnly, authenticate, type Env } from './access.ts';
import { readBatchBody } from './batch-body.ts';
import { HttpError } from './http-error.ts';
import { readPage } from './page.ts';
import { readBody } from './read-body.ts';
import { readChatBody, readName } from './requests.ts';
import { BATCH, CHAT_ROUTES, CHAT_STREAM, type ChatRoute } from './routes.ts';
import { addStreamRoutes, compressionFor, resume } from './stream-routes.ts';

/** The value of the query parameter `compat`. */
const PLAIN = 'plain';

const MAX_LISTED = 1_000;
const MAX_LISTED_CHARACTERS = 8 * 1024 * 1024;
const MAX_STREAMS_SHOWN = 50;
const MAX_PATH_SHOWN = 200;

/** All endpoints of the service. */
export function createApp(core: Core): Hono<Env> {
  const { settings, log } = core;
  const app = new Hono<Env>({ strict: false });
  app.use(async (c, next) => {
    c.set('receivedAtMs', settings.clock.now());
    await next();
    log.debug({ method: c.req.method, path: c.req.path, status: c.res.status }, 'request');
  });
  app.use(
    cors({
      origin: settings.corsOrigins === '*' ? '*' : [...settings.corsOrigins],
      allowMethods: ['GET', 'POST', 'OPTIONS'],
      allowHeaders: ['authorization', 'content-type', 'last-event-id'],
      exposeHeaders: ['x-request-id', 'x-session-id', 'x-answer-cache', 'retry-after'],
      maxAge: 600,
    }),
  );
  addChatRoutes(app, core);
  addStreamRoutes(app, core);
  addReadRoutes(app, core);
  app.notFound((c) => {
    const path = c.req.path.slice(0, MAX_PATH_SHOWN);
    return refuse(c, core, new HttpError(404, 'not_found', `there is no endpoint ${path}`));
  });
  app.onError((error, c) => {
    if (error instanceof HttpError) return refuse(c, core, error);
    log.error({ path: c.req.path, error: describeError(error) }, 'unexpected error');
    return refuse(c, core, new HttpError(500, 'internal_error', 'the service failed'));
  });
  return app;
}

function addChatRoutes(app: Hono<Env>, core: Core): void {
  const { settings } = core;
  for (const route of CHAT_ROUTES) {
    app.post(route.path, async (c) => {
      const caller = await authenticate(c, core);
      const lastEventId = c.req.header('last-event-id');
      // Some readers repeat their POST when the connection breaks.
      if (lastEventId) return resume(c, core, lastEventId, caller);
      const pathId = c.req.param('id');
      if (pathId !== undefined) readName('id', pathId);
      const body = readChatBody(await readBody(c.env.incoming, settings), settings.messageLimitBytes);
      return answer(c, core, { route, caller, body, pathId, compat: readCompat(c, route) });
    });
  }
  app.post(BATCH.path, async (c) => {
    const caller = await authenticate(c, core);
    const body = readBatchBody(await readBody(c.env.incoming, settings), settings.messageLimitBytes);
    const headers = Object.fromEntries(c.res.headers);
    const call = { caller, body, compression: compressionFor(c), receivedAtMs: c.get('receivedAtMs') };
    await respondToBatch(core, call, c.env.outgoing, headers);
    return RESPONSE_ALREADY_SENT;
  });
  app.post('/chat/tickets', async (c) => {
    const caller = await authenticate(c, core);
    const text = await readBody(c.env.incoming, settings);
    const body = readChatBody(text, settings.messageLimitBytes);
    const { id, expiresInMs } = core.tickets.issue({ caller, body, bytes: Buffer.byteLength(text) });
    return c.json({ url: `/chat/stream?ticket=${id}`, expires_in_ms: expiresInMs }, 201);
  });
  app.get(CHAT_STREAM.path, (c) => {
    const ticketId = c.req.query('ticket') ?? '';
    const lastEventId = c.req.header('last-event-id');
    // An EventSource repeats its request, with the ticket that it has used.
    if (lastEventId) return resume(c, core, lastEventId, { ticket: ticketId });
    const ticket = core.tickets.take(ticketId);
    if (ticket === undefined) {
      throw new HttpError(
        401,
        'ticket_invalid',
        'no such ticket: get one with POST /chat/tickets; a ticket is valid once, for 30 s',
      );
    }
    const { caller, body } = ticket;
    core.rateLimiter.count(caller.subject);
    const compat = readCompat(c, CHAT_STREAM);
    return answer(c, core, {
      route: CHAT_STREAM,
      caller,
      body: { ...body, stream: true },
      compat,
      ticket: ticketId,
    });
  });
  for (const path of new Set([...CHAT_ROUTES.map((route) => route.path), BATCH.path, '/chat/tickets'])) {
    allowOnly(app, path, path === CHAT_STREAM.path ? ['GET', 'POST'] : ['POST']);
  }
}

function addReadRoutes(app: Hono<Env>, core: Core): void {
  const page = readPage();
  app.get('/sessions/:id/messages', async (c) => {
    const { subject } = await authenticate(c, core);
    const session = readName('id', c.req.param('id'));
    const conversation = { owner: subject, session };
    const messages = guardStore(core, () =>
      core.store.messages(conversation, MAX_LISTED, MAX_LISTED_CHARACTERS),
    );
    if (messages.length === 0) throw new HttpError(404, 'session_not_found', 'there is no such session');
    return c.json({ session_id: session, messages: messages.map(asJson) });
  });
  app.get('/api/v1/health/stream', (c) => c.json(health(core), core.draining ? 503 : 200));
  app.get('/metrics', async (c) => {
    if (core.exposed) await authenticate(c, core);
    const { contentType, body } = await core.metrics.text(c.req.queries('name[]'));
    return c.body(body, 200, { 'content-type': contentType });
  });
  app.get('/', (c) =>
    c.html(page.html, 200, {
      'content-security-policy': page.policy,
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    }),
  );
  for (const path of ['/sessions/:id/messages', '/api/v1/health/stream', '/metrics', '/']) {
    allowOnly(app, path, ['GET']);
  }
}

/** The format that the query string requests. Throws an `HttpError` for one that the endpoint does not have. */
function readCompat(c: Context<Env>, route: ChatRoute): 'plain' | undefined {
  const compat = c.req.query('compat');
  if (compat === undefined) return undefined;
  if (compat === PLAIN && route.dialect === 'conversation') return compat;
  const message =
    route.dialect === 'conversation' ? `use ${PLAIN}, or leave it out` : 'this endpoint has no such option';
  throw new HttpError(400, 'invalid_request', 'the request is not valid: compat', {
    problems: [{ path: 'compat', message }],
  });
}

async function answer(
  c: Context<Env>,
  core: Core,
  call: Omit<ChatCall, 'receivedAtMs' | 'compression'>,
): Promise<Response> {
  // A stream is written to the socket without Hono: it needs the headers that the middleware has set.
  const headers = Object.fromEntries(c.res.headers);
  const received = { ...call, receivedAtMs: c.get('receivedAtMs'), compression: compressionFor(c) };
  const done = await respond(core, received, c.env.outgoing, headers);
  if (done.kind === 'sent') return RESPONSE_ALREADY_SENT;
  return c.body(done.body.body, 200, { ...done.headers, 'content-type': done.body.contentType });
}

function refuse(c: Context<Env>, core: Core, error: HttpError): Response {
  core.metrics.refused(error.status);
  if (c.env.outgoing.headersSent) {
    // The status has been sent. The stream is cut, which its reader can tell from a normal end.
    c.env.outgoing.destroy();
    return RESPONSE_ALREADY_SENT;
  }
  core.log.info(
    { method: c.req.method, path: c.req.path, status: error.status, code: error.code },
    'refused',
  );
  const body = c.req.query('compat') === PLAIN ? { error: error.message, code: error.code } : error.body;
  return c.json(body, error.status satisfies ContentfulStatusCode, error.headers);
}

function health(core: Core): object {
  const { streams, settings, draining, startedAtMs } = core;
  const listed = streams
    .list(MAX_STREAMS_SHOWN)
    .map(({ id, route, ageMs }) => ({ id, route, age_ms: ageMs }));
  return {
    status: draining ? 'draining' : 'ok',
    active_connections: core.connections(),
    active_streams: streams.active,
    peak_streams: streams.peakActive,
    max_streams: settings.maxStreams,
    uptime_seconds: Math.round((settings.clock.now() - startedAtMs) / 1000),
    memory_bytes: process.memoryUsage.rss(),
    // Each stream belongs to a user, so other machines are shown the counts only.
    streams: core.exposed ? undefined : listed,
  };
}

function asJson({ createdAt, updatedAt, usage, ...message }: StoredMessage): object {
  return {
    ...message,
    input_tokens: usage?.inputTokens,
    output_tokens: usage?.outputTokens,
    cost_usd: usage?.costUsd,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}
