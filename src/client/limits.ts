import { UserError } from '../model/errors.ts';
import { DEFAULT_LIMITS, type Limits, MAX_LIMIT_BYTES } from '../model/plan.ts';
import { formatSize } from '../model/size.ts';

/**
 * The limits with their defaults filled in. Throws a `UserError` for one that is no number of bytes, or that the platform's
 * strings could not reach.
 */
export function limitsOf(options: Partial<Limits> = {}): Limits {
  const limits: Limits = { ...DEFAULT_LIMITS };
  for (const [name, bytes] of Object.entries(options)) {
    if (bytes === undefined) continue;
    // A stream is not kept.
    const most = name === 'streamBytes' ? Number.POSITIVE_INFINITY : MAX_LIMIT_BYTES;
    if (!(bytes > 0 && bytes <= most)) {
      throw new UserError('usage', {
        message: `limits.${name} is ${bytes}`,
        hint: `give a number of bytes above 0 and at most ${MAX_LIMIT_BYTES} (${formatSize(MAX_LIMIT_BYTES)})`,
      });
    }
    limits[name as keyof Limits] = bytes;
  }
  return limits;
}
