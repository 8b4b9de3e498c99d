import { joinBytes } from '../model/bytes.ts';
import { type BodyTap, override, tapStream } from './tapped-body.ts';
import { isNodeStream, tapNodeStream } from './tapped-node-stream.ts';

/** The methods that read a whole body. */
const CONSUMERS = ['text', 'json', 'arrayBuffer', 'blob', 'bytes', 'formData'] as const;

type Consumer = (typeof CONSUMERS)[number];
type Methods = Record<Consumer | 'clone', () => Promise<unknown>>;

/**
 * Has `tap` see what is read from a response. The response stays the same object, so its URL, its headers, its type and what
 * libraries check by `instanceof` stay right. The tap ends at once if there is no body.
 */
export function tapResponse(response: Response, tap: BodyTap): void {
  const { body } = response as { body: unknown };
  if (body === null || body === undefined) {
    tap.end();
  } else if (response.bodyUsed) {
    tap.cancel('the body was read before streambench received the response');
  } else if (body instanceof ReadableStream) {
    tapStream(body as ReadableStream<Uint8Array>, tap);
    tapConsumers(response, body as ReadableStream<Uint8Array>);
  } else if (isNodeStream(body)) {
    tapNodeStream(body, tap);
  } else {
    tap.cancel('the body is of an unknown kind');
  }
}

/** The runtime's own methods may read the stream without calling its methods: these read it through its reader. */
function tapConsumers(response: Response, body: ReadableStream<Uint8Array>): void {
  const { headers } = response;
  const methods = response as unknown as Methods;
  const replaced: Partial<Methods> = {};
  for (const name of CONSUMERS) {
    // Not every version of a runtime has each of them.
    if (typeof methods[name] !== 'function') continue;
    const native = methods[name].bind(response);
    replaced[name] = async () => {
      // The runtime reports the mistake.
      if (response.bodyUsed || body.locked) return native();
      const init = { headers: { 'content-type': headers.get('content-type') ?? '' } };
      const whole = new Response(await readAll(body), init) as unknown as Methods;
      return whole[name]();
    };
  }
  override(methods, replaced);
  override(response, { clone: () => cloneOf(response, body) });
}

async function readAll(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joinBytes(chunks);
    chunks.push(value);
  }
}

/** Splits the body: one branch becomes that of the response, the other that of its clone. */
function cloneOf(response: Response, body: ReadableStream<Uint8Array>): Response {
  if (response.bodyUsed || body.locked)
    throw new TypeError('the body is locked or was read: it cannot be cloned');
  const [own, other] = body.tee();
  // The response is not constructed anew: what reads its body is replaced by what reads the branch.
  const branch = new Response(own, { headers: response.headers });
  const methods = branch as unknown as Methods;
  for (const name of [...CONSUMERS, 'clone'] as const) {
    if (typeof methods[name] === 'function')
      override(response as unknown as Methods, { [name]: methods[name].bind(branch) });
  }
  Object.defineProperty(response, 'body', { get: () => branch.body, configurable: true });
  Object.defineProperty(response, 'bodyUsed', { get: () => branch.bodyUsed, configurable: true });
  return likeness(response, other);
}

/** A response with another body. What its constructor does not take is set on the object. */
function likeness(response: Response, body: ReadableStream<Uint8Array>): Response {
  const { status, statusText, headers, url, redirected, type, ok } = response;
  const copy = new Response(body, { headers });
  for (const [name, value] of Object.entries({ status, statusText, url, redirected, type, ok }))
    Object.defineProperty(copy, name, { value, configurable: true });
  override(copy, { clone: () => likeness(response, splitBody(copy)) });
  return copy;
}

/** A second branch of a clone's body. */
function splitBody(copy: Response): ReadableStream<Uint8Array> {
  const again = Response.prototype.clone.call(copy);
  return again.body as ReadableStream<Uint8Array>;
}
