import { isPlainDialect } from '../../model/plan.ts';
import { getDialect } from '../../wire/dialects/index.ts';
import { type Contradiction, providerRow, SIMULATOR } from './endpoint.ts';

/** The placeholder of a body or a query that becomes `true` or `false`. A body in a file may hold it. */
const ASKS_FOR_STREAM = /\{\{(\s|%20)*stream(\s|%20)*\}\}|^"@/;

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
    url,
  } = target as Record<string, unknown>;
  // The simulator is told by a field of its own in every dialect.
  if (service !== undefined || provider === SIMULATOR || typeof dialect !== 'string') return undefined;
  const leaveOut = 'leave out non-streaming (--mode streaming)';
  if (isPlainDialect(dialect)) {
    const written = [body, url].map((part) => JSON.stringify(part ?? ''));
    if (written.some((part) => ASKS_FOR_STREAM.test(part))) return undefined;
    return {
      message: `(dialect ${dialect}) has no way to ask for the whole answer`,
      params: {
        hint: `${leaveOut}, or give a body that says which is wanted, such as { prompt: "{{prompt}}", stream: "{{stream}}" }`,
      },
    };
  }
  if (!isStreamOnly(dialect)) return undefined;
  return { message: `always streams: ${dialect} has no other answer`, params: { hint: leaveOut } };
}

function isStreamOnly(dialect: string): boolean {
  try {
    return getDialect(dialect).wholeIsStream === true;
  } catch {
    return false; // An unknown dialect is a problem of its own.
  }
}
