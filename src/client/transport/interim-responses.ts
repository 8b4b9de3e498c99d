const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);
/** `HTTP/1.1 103`: as much as tells an interim response from a final one. */
const STATUS_BYTES = 12;
const MAX_HELD_BYTES = 16_384;

/**
 * Takes interim responses (`100 Continue`, `103 Early Hints`) off the beginning of what an HTTP/1.1 server answers. A
 * server may send them unasked (RFC 9110, section 15.2), but undici ends the connection for a 100.
 */
export class InterimResponses {
  private held: Buffer = NOTHING;

  /**
   * What of the bytes read belongs to the final response. Undefined where none does so far: call this again with the
   * next bytes. Otherwise the rest of the response needs no more calls.
   */
  strip(chunk: Buffer): Buffer | undefined {
    let bytes = this.held.byteLength === 0 ? chunk : Buffer.concat([this.held, chunk]);
    this.held = NOTHING;
    while (bytes.byteLength > 0) {
      if (!mayBeInterim(bytes)) return bytes;
      const end = bytes.byteLength < STATUS_BYTES ? -1 : bytes.indexOf(HEAD_END);
      if (end === -1) {
        if (bytes.byteLength > MAX_HELD_BYTES) return bytes;
        this.held = Buffer.from(bytes);
        return undefined;
      }
      bytes = bytes.subarray(end + HEAD_END.byteLength);
    }
    return undefined;
  }
}

/** False as soon as the bytes cannot be the beginning of a 1xx response. 101 is a final one: the protocol changes. */
function mayBeInterim(bytes: Buffer): boolean {
  const line = bytes.toString('latin1', 0, STATUS_BYTES);
  const pattern = 'HTTP/1.d 1dd';
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (pattern[i] === 'd' ? char < '0' || char > '9' : char !== pattern[i]) return false;
  }
  return !line.endsWith(' 101');
}
