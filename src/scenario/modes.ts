import { wireFormat } from '../wire/dialects.ts';
import { type Contradiction, providerRow, SIMULATOR } from './endpoint-schema.ts';

/** The placeholder of a body template that becomes `true` or `false`. */
const ASKS_FOR_STREAM = /\{\{\s*stream\s*\}\}/;

/**
 * Targets that cannot be asked for one whole answer, where the scenario measures such answers too: what came back would be a
 * stream, and its times would stand for those of an answer. Is shown values with problems too, so it trusts no type.
 */
export function modeProblems(document: unknown): Contradiction[] {
  const { modes, targets } = (document ?? {}) as { modes?: unknown; targets?: unknown };
  if (!Array.isArray(modes) || !modes.includes('non-streaming') || !Array.isArray(targets)) return [];
  return targets.flatMap((target: unknown) => {
    const why = alwaysStreams(target);
    if (why === undefined) return [];
    const { name } = target as { name?: unknown };
    return [
      { path: ['modes'], message: `target ${JSON.stringify(name)} ${why.message}`, params: why.params },
    ];
  });
}

function alwaysStreams(
  target: unknown,
): (Pick<Contradiction, 'message'> & { params: { hint: string } }) | undefined {
  if (typeof target !== 'object' || target === null) return undefined;
  const {
    provider,
    dialect = providerRow(provider)?.dialect,
    service,
    body,
  } = target as Record<string, unknown>;
  // The simulator is told by a field of its own in every dialect.
  if (service !== undefined || provider === SIMULATOR || typeof dialect !== 'string') return undefined;
  const leaveOut = 'leave out non-streaming (--mode streaming)';
  if (dialect === 'sse' || dialect === 'ndjson' || dialect === 'raw') {
    if (typeof body === 'string' && ASKS_FOR_STREAM.test(body)) return undefined;
    return {
      message: `(dialect ${dialect}) has no way to ask for the whole answer`,
      params: {
        hint: `${leaveOut}, or give a body in which {{stream}} stands for true or false, such as {"prompt":{{prompt}},"stream":{{stream}}}`,
      },
    };
  }
  if (!isStreamOnly(dialect)) return undefined;
  return { message: `always streams: ${dialect} has no other answer`, params: { hint: leaveOut } };
}

function isStreamOnly(dialect: string): boolean {
  try {
    return wireFormat(dialect).wholeIsStream === true;
  } catch {
    return false; // An unknown dialect is a problem of its own.
  }
}
