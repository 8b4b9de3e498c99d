import { FRAMINGS } from '../../wire/framing/framings.ts';
import type { Core } from '../core.ts';
import { type Context, type Hono, RESPONSE_ALREADY_SENT } from '../packages.ts';
import { readEventId } from '../stream/replay-buffer.ts';
import { acceptsGzip, type Compression } from '../stream/response-body.ts';
import { allowOnly, authenticate, type Env } from './access.ts';
import { HttpError } from './http-error.ts';
import { readName } from './requests.ts';

const MAX_LISTED = 1_000;

const UNDER_CONVERSATION = '/api/v1/conversations/:conversation/streams';
const OF_USER = '/api/v1/streams';

/** The endpoints that list, cancel and resume a user's own streams. */
export function addStreamRoutes(app: Hono<Env>, core: Core): void {
  for (const path of [OF_USER, UNDER_CONVERSATION]) {
    app.get(path, async (c) => {
      const { subject } = await authenticate(c, core);
      const session = sessionOf(c);
      const streams = core.streams
        .list(MAX_LISTED, subject)
        .filter((stream) => session === undefined || stream.session === session)
        .map(({ id, route, session: session_id, ageMs: age_ms, resumable, connected }) => ({
          ...{ id, route, session_id, age_ms, resumable, connected },
        }));
      return c.json({ streams });
    });
    allowOnly(app, path, ['GET']);

    app.post(`${path}/:id/cancel`, async (c) => {
      const { subject } = await authenticate(c, core);
      const session = sessionOf(c);
      const id = readName('id', c.req.param('id') ?? '');
      const found = core.streams.find(id, subject);
      if (found === undefined || (session !== undefined && found.session !== session)) {
        throw new HttpError(404, 'stream_not_found', 'there is no such active stream');
      }
      found.stream.stop('cancelled');
      // The partial answer is stored when the caller reads this response.
      await found.ended;
      return c.json({ id, status: found.stream.stopped ?? 'ended' });
    });
    allowOnly(app, `${path}/:id/cancel`, ['POST']);
  }
  app.get(`${OF_USER}/:id`, async (c) => {
    const { subject } = await authenticate(c, core);
    const id = readName('id', c.req.param('id'));
    const lastId = c.req.header('last-event-id') ?? `${id}.0`;
    if (readEventId(lastId)?.streamId !== id) throw gone();
    return resume(c, core, lastId, { subject });
  });
  allowOnly(app, `${OF_USER}/:id`, ['GET']);
}

function sessionOf(c: Context<Env>): string | undefined {
  const conversation = c.req.param('conversation');
  return conversation === undefined ? undefined : readName('id', conversation);
}

/**
 * Continues a stream after the event that the client names, if it belongs to the user or to the ticket. Throws an
 * `HttpError` 410 when it cannot be continued.
 */
export async function resume(
  c: Context<Env>,
  core: Core,
  lastEventId: string,
  owner: { subject: string } | { ticket: string },
): Promise<Response> {
  const position = readEventId(lastEventId);
  const found = position === undefined ? undefined : core.streams.findResumable(position.streamId);
  if (position === undefined || found === undefined) throw gone();
  const owned = 'ticket' in owner ? found.ticket === owner.ticket : found.subject === owner.subject;
  if (!owned) throw gone();
  const { outgoing } = c.env;
  const headers: Record<string, string> = {
    ...Object.fromEntries(c.res.headers),
    'content-type': FRAMINGS.sse.contentType,
    'x-request-id': found.id,
  };
  if (found.session !== undefined) headers['x-session-id'] = found.session;
  const closed = new Promise<void>((resolve) => outgoing.once('close', () => resolve()));
  if (!found.stream.attach(outgoing, headers, compressionFor(c), position.number)) throw gone();
  await closed;
  return RESPONSE_ALREADY_SENT;
}

/** How a stream is compressed for this client. */
export function compressionFor(c: Context<Env>): Compression {
  if (!acceptsGzip(c.req.header('accept-encoding'))) return 'none';
  return c.req.path.includes('/stream-debug') && c.req.query('flush') === 'off' ? 'gzip-unflushed' : 'gzip';
}

function gone(): HttpError {
  return new HttpError(410, 'resume_expired', 'this stream cannot be resumed: send the request again');
}
