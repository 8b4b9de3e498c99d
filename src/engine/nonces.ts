import { createHash } from 'node:crypto';
import { NONCE_LENGTH } from '../model/request.ts';

/** Which of several threads draws, counted from 0. */
export interface ThreadIndex {
  index: number;
  of: number;
}

const COUNT = 36 ** NONCE_LENGTH;
const GOLDEN_STEP = Math.round(COUNT * 0.6180339887498949);

/**
 * A source of nonces. All that are drawn with one seed and salt, by all threads together, differ (up to 36^8 of them);
 * the same seed, salt and thread give the same ones. Each is a fixed step from the one before it, modulo 36^8, and the step
 * has no divisor in common with that, so that none comes twice. A step near the golden ratio keeps the first characters of
 * neighbours apart.
 */
export function createNonces(seed: number, salt: string, { index, of }: ThreadIndex): () => string {
  const drawn = createHash('sha256').update(`${seed}:${salt}`).digest();
  const start = drawn.readUIntBE(0, 6) % COUNT;
  const step = coprimeFrom(GOLDEN_STEP + drawn.readUInt32BE(6));
  const stride = (step * of) % COUNT;
  let next = (start + step * index) % COUNT;
  return () => {
    const nonce = next.toString(36).padStart(NONCE_LENGTH, '0');
    next = (next + stride) % COUNT;
    return nonce;
  };
}

/** The first number from `value` on that shares no divisor with a power of 36. */
function coprimeFrom(value: number): number {
  let found = value;
  while (found % 2 === 0 || found % 3 === 0) found++;
  return found;
}
