import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { FRAMINGS } from '../../wire/framing/framings.ts';
import type { ChatCall } from '../chat.ts';
import type { Core } from '../core.ts';
import type { BatchBody } from '../http/batch-body.ts';
import { HttpError } from '../http/http-error.ts';
import { BATCH } from '../http/routes.ts';
import { describeError } from '../logger.ts';
import { STOP_MESSAGES } from './failure.ts';
import { respond } from './respond.ts';
import { type Compression, openBody, type ResponseBody } from './response-body.ts';

/** A request with several prompts. */
export interface BatchCall extends Pick<ChatCall, 'caller' | 'receivedAtMs'> {
  body: BatchBody;
  compression: Compression;
}

/**
 * Answers several prompts in one stream. Each is an answer of its own: it is stored, counted, limited and can be cancelled
 * like any other, and its events carry the id of its prompt. A prompt that fails has an `error` event; the others continue.
 */
export async function respondToBatch(
  core: Core,
  { body, caller, receivedAtMs, compression }: BatchCall,
  res: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const members = new Set<MemberResponse>();
  res.on('error', () => {});
  res.writeHead(200, {
    ...headers,
    ...(compression !== 'none' && { 'content-encoding': 'gzip' }),
    vary: 'accept-encoding',
    'content-type': FRAMINGS.sse.contentType,
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  res.flushHeaders();
  const shared = openBody(res, compression, () => {
    for (const member of members) member.emit('drain');
  });
  res.once('close', () => {
    for (const member of members) member.close();
  });

  const results: { prompt_id: string; status: 'ok' | 'failed' }[] = [];
  const answer = async ({ id, chat }: BatchBody['prompts'][number]) => {
    const member = new MemberResponse(res, shared);
    members.add(member);
    const call: ChatCall = {
      route: BATCH,
      caller,
      body: chat,
      promptId: id,
      compression: 'none',
      receivedAtMs,
    };
    let ok = false;
    try {
      const done = await respond(core, call, member, {});
      ok = done.kind === 'sent' && done.ok;
    } catch (error) {
      const { code, message } = refusalOf(core, error);
      shared.write(frame({ prompt_id: id, type: 'error', message, code }));
    } finally {
      members.delete(member);
      results.push({ prompt_id: id, status: ok ? 'ok' : 'failed' });
    }
  };
  const waiting = [...body.prompts];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined && !res.destroyed; next = waiting.shift()) {
      await answer(next);
    }
  };
  await Promise.all(Array.from({ length: body.concurrency }, worker));
  if (res.destroyed) return;
  shared.write(`${frame({ type: 'batch_complete', results })}data: [DONE]\n\n`);
  shared.end();
}

function refusalOf(core: Core, error: unknown): { code: string; message: string } {
  if (error instanceof HttpError) {
    core.metrics.refused(error.status);
    return error;
  }
  core.log.error({ error: describeError(error) }, 'unexpected error');
  return { code: 'internal_error', message: STOP_MESSAGES.internal_error };
}

function frame(payload: object): string {
  return FRAMINGS.sse.write({ data: JSON.stringify(payload) }) as string;
}

/** The part of a shared response that belongs to one prompt. */
class MemberResponse extends EventEmitter {
  destroyed = false;
  readonly socket = null;
  private readonly res: ServerResponse;
  private readonly shared: ResponseBody;

  constructor(res: ServerResponse, shared: ResponseBody) {
    super();
    this.res = res;
    this.shared = shared;
    this.destroyed = res.destroyed;
  }

  // The shared response has sent its own head.
  writeHead(): void {}
  flushHeaders(): void {}

  write(text: string | Uint8Array): boolean {
    return this.shared.write(text.toString());
  }

  end(): void {
    this.close();
  }

  /** A client that does not read one prompt reads none: the connection is shared. */
  destroy(): void {
    this.res.destroy();
  }

  close(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}
