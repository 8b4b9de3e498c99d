import { isPlainDialect } from '../../model/plan.ts';
import { getDialect } from '../../wire/dialects/index.ts';
import { type Contradiction, providerRow, SIMULATOR } from './endpoint.ts';

/** The placeholder {{stream}} in a body or a query, or a body in a file, which may contain it. */
const ASKS_FOR_STREAM = /\{\{(\s|%20)*stream(\s|%20)*\}\}|^"@/;

/**
 * Targets that always stream, in a scenario that also measures non-streaming answers: the times of a stream would be
 * reported as those of a whole answer. The document may have other problems, so no type is assumed.
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
  // The simulator supports both modes in every dialect.
  const omit = 'omit non-streaming (--mode streaming)';
  if ((service as { endpoint?: unknown } | null | undefined)?.endpoint === 'batch') {
    return { message: 'always streams: a batch has no non-streaming answer', params: { hint: omit } };
  }
  if (service !== undefined || provider === SIMULATOR || typeof dialect !== 'string') return undefined;
  if (isPlainDialect(dialect)) {
    const written = [body, url].map((part) => JSON.stringify(part ?? ''));
    if (written.some((part) => ASKS_FOR_STREAM.test(part))) return undefined;
    return {
      message: `(dialect ${dialect}) cannot request a non-streaming answer`,
      params: {
        hint: `${omit}, or add a body that selects the mode, such as { prompt: "{{prompt}}", stream: "{{stream}}" }`,
      },
    };
  }
  if (!isStreamOnly(dialect)) return undefined;
  return { message: `always streams: ${dialect} has no non-streaming answer`, params: { hint: omit } };
}

function isStreamOnly(dialect: string): boolean {
  try {
    return getDialect(dialect).wholeIsStream === true;
  } catch {
    return false; // An unknown dialect is a problem of its own.
  }
}
