/** Frames of HTTP/2 (RFC 9113, sections 4 and 6), written by hand. */

export type Frame = Buffer;

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Frame {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const uint32 = (...numbers: number[]) => {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * i);
  return bytes;
};
const literal = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const END_STREAM = 1;
const END_HEADERS = 4;

export const SETTINGS = frame(4, 0, 0);
export const SETTINGS_ACK = frame(4, 1, 0);

/** Settings that say how many streams at once there may be. */
export const settings = (maxConcurrentStreams: number) =>
  frame(4, 0, 0, Buffer.concat([Buffer.from([0, 3]), uint32(maxConcurrentStreams)]));

/** The head of a stream of events: HPACK's static entries for `:status: 200` and `content-type`. */
export const headers = (stream: number, { end = false, status = 0x88 } = {}) =>
  frame(
    1,
    END_HEADERS | (end ? END_STREAM : 0),
    stream,
    Buffer.concat([Buffer.from([status, 0x0f, 0x10]), literal('text/event-stream')]),
  );

/** An interim response: `:status` as a literal. */
export const interim = (stream: number, status: number) =>
  frame(1, END_HEADERS, stream, Buffer.concat([Buffer.from([0x08]), literal(String(status))]));

export const data = (stream: number, text: string, { end = false } = {}) =>
  frame(0, end ? END_STREAM : 0, stream, Buffer.from(text));

export const reset = (stream: number, code: number) => frame(3, 0, stream, uint32(code));

export const goaway = (lastStream: number, code: number) => frame(7, 0, 0, uint32(lastStream, code));

const PREFACE_BYTES = 24;

/** Calls back with the identifier of each stream whose request is whole. Feed it with all that a client sends. */
export function requestReader(onRequest: (stream: number) => void): (chunk: Buffer) => void {
  let bytes: Buffer = Buffer.alloc(0);
  let prefaced = false;
  return (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (!prefaced) {
      if (bytes.length < PREFACE_BYTES) return;
      bytes = bytes.subarray(PREFACE_BYTES);
      prefaced = true;
    }
    while (bytes.length >= 9) {
      const length = bytes.readUIntBE(0, 3);
      if (bytes.length < 9 + length) return;
      const [type, flags, stream] = [bytes[3]!, bytes[4]!, bytes.readUInt32BE(5)];
      bytes = bytes.subarray(9 + length);
      if ((type === 0 || type === 1) && (flags & END_STREAM) !== 0) onRequest(stream);
    }
  };
}
