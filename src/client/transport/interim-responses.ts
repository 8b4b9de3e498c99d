const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);
/** `HTTP/1.1 103`: enough to distinguish an interim response from a final one. */
const STATUS_BYTES = 12;
const MAX_HELD_BYTES = 16_384;

/**
 * Removes interim responses (`100 Continue`, `103 Early Hints`) from the start of an HTTP/1.1 response. A server may send them
 * without being asked (RFC 9110, section 15.2), but undici closes the connection on a 100.
 */
export class InterimResponses {
  private held: Buffer = NOTHING;

  /**
   * Returns the bytes that belong to the final response. Undefined if there are none yet: call this again with the next bytes.
   * Otherwise no more calls are needed for this response.
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

/** False if the bytes cannot be the start of a 1xx response. 101 counts as final: the protocol changes. */
function mayBeInterim(bytes: Buffer): boolean {
  const line = bytes.toString('latin1', 0, STATUS_BYTES);
  const pattern = 'HTTP/1.d 1dd';
  for (let i = 0; i < line.length; i++) {
    const isMatch = pattern[i] === 'd' ? /\d/.test(line.charAt(i)) : line[i] === pattern[i];
    if (!isMatch) return false;
  }
  return !line.endsWith(' 101');
}
