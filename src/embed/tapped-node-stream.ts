import type { BodyTap } from './tapped-body.ts';

/** What is used of a Readable of Node.js. */
interface NodeStream {
  emit(event: string, ...args: unknown[]): boolean;
  pipe(destination: unknown): unknown;
}

/** True for a stream of Node.js, which some implementations of `fetch` have as the body. */
export function isNodeStream(body: unknown): body is NodeStream {
  const stream = body as Partial<NodeStream> | null;
  return typeof stream?.pipe === 'function' && typeof stream.emit === 'function';
}

/**
 * Has `tap` see what leaves a stream of Node.js. A Readable emits `data` for each chunk that leaves it, also where it is
 * iterated or read by `read()`, so the stream flows only as fast as its reader takes it.
 */
export function tapNodeStream(stream: NodeStream, tap: BodyTap): void {
  const emit = stream.emit.bind(stream);
  const utf8 = new TextEncoder();
  const seen = (event: string, value: unknown) => {
    if (event === 'data') {
      if (value instanceof Uint8Array) tap.read(value);
      // After `setEncoding`.
      else if (typeof value === 'string') tap.read(utf8.encode(value));
    } else if (event === 'end') tap.end();
    else if (event === 'error') tap.fail(value);
    // Without an end before it: the reader destroyed the stream.
    else if (event === 'close') tap.cancel();
  };
  Object.defineProperty(stream, 'emit', {
    value(event: string, ...args: unknown[]) {
      seen(event, args[0]);
      return emit(event, ...args);
    },
    configurable: true,
    writable: true,
  });
}
