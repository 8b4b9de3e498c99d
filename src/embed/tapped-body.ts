/** Receives what the reader of a body receives. Its methods do not throw. */
export interface BodyTap {
  read(chunk: Uint8Array): void;
  end(): void;
  fail(error: unknown): void;
  cancel(reason?: unknown): void;
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type GetReader = ReadableStream<Uint8Array>['getReader'];

/**
 * Has `tap` see all that is read from a stream. The stream stays the same object and keeps its own queue and its
 * back-pressure: its methods are replaced by ones that look at each chunk on its way. A stream in between would copy no byte
 * either, but would take several microseconds for each chunk.
 */
export function tapStream(stream: ReadableStream<Uint8Array>, tap: BodyTap): void {
  const native = {
    getReader: stream.getReader.bind(stream) as (options?: unknown) => Reader,
    cancel: stream.cancel.bind(stream),
  };
  const getReader = (options?: unknown) => tapReader(native.getReader(options), tap);
  // Streams that the methods below read through: only those pay for it.
  const behind = () => streamOf(getReader());
  override(stream, {
    getReader: getReader as GetReader,
    cancel(reason) {
      // Of a locked stream, the call is rejected and has no effect.
      if (!stream.locked) tap.cancel(reason);
      return native.cancel(reason);
    },
    tee: () => behind().tee(),
    pipeTo: (destination, options) => pipeUnlocked(stream, () => behind().pipeTo(destination, options)),
    pipeThrough: (transform, options) => behind().pipeThrough(transform, options),
    values: (options) => iterate(native.getReader, tap, options?.preventCancel ?? false),
    [Symbol.asyncIterator]: () => iterate(native.getReader, tap, false),
  });
}

/** Replaces methods of one object. They stay out of its enumerable properties. */
export function override<T extends object>(target: T, methods: Partial<T>): void {
  for (const name of Reflect.ownKeys(methods)) {
    const value = (methods as Record<string | symbol, unknown>)[name];
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  }
}

/** `pipeTo` reports a locked stream by a rejection, not by throwing. */
async function pipeUnlocked(stream: ReadableStream, pipe: () => Promise<void>): Promise<void> {
  if (stream.locked) throw new TypeError('the stream is locked');
  await pipe();
}

/**
 * The same reader. The tap sees each read before the caller does. `onEnd` is called when the stream has ended or failed. HOT
 * PATH: each chunk costs one reaction to a promise that exists anyway.
 */
function tapReader(reader: Reader, tap: BodyTap, onEnd?: () => void): Reader {
  let isReleased = false;
  const seen = (result: Awaited<ReturnType<Reader['read']>>) => {
    if (!result.done) {
      tap.read(result.value);
      return;
    }
    if (!isReleased) tap.end();
    onEnd?.();
  };
  const failed = (error: unknown) => {
    // Releasing a reader rejects the reads that wait.
    if (!isReleased) tap.fail(error);
    onEnd?.();
  };
  const { read, cancel, releaseLock } = reader;
  override(reader, {
    // The argument is the buffer of a BYOB reader.
    read: ((view?: unknown, options?: unknown) => {
      const result = (read as (...args: unknown[]) => ReturnType<Reader['read']>).call(reader, view, options);
      result.then(seen, failed);
      return result;
    }) as Reader['read'],
    cancel: (reason) => {
      if (!isReleased) tap.cancel(reason);
      return cancel.call(reader, reason);
    },
    releaseLock: () => {
      isReleased = true;
      releaseLock.call(reader);
    },
  });
  return reader;
}

/** A stream with no queue of its own over a reader. */
function streamOf(reader: Reader): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

type ByteIterator = ReturnType<ReadableStream<Uint8Array>['values']>;

/** Iterates over a stream. Its reader is released at the end. */
function iterate(native: () => Reader, tap: BodyTap, preventCancel: boolean): ByteIterator {
  let isOver = false;
  let last: Promise<unknown> = Promise.resolve();
  const release = () => {
    if (isOver) return;
    isOver = true;
    reader.releaseLock();
  };
  const reader = tapReader(native(), tap, release);
  const iterator = {
    next() {
      if (isOver) return Promise.resolve({ done: true, value: undefined });
      const result = reader.read();
      last = result;
      return result;
    },
    async return(value?: unknown) {
      await last.catch(() => {});
      if (!isOver) {
        const cancelled = preventCancel ? undefined : reader.cancel(value);
        release();
        await cancelled;
      }
      return { done: true, value };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  return iterator as unknown as ByteIterator;
}
