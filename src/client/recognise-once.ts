import type { Dialect } from '../wire/dialect.ts';
import { recogniseStream } from '../wire/recognise.ts';

const recognised = new WeakMap<Dialect, string | undefined>();

/**
 * The known dialect that reads a stream which is read by a plain one; undefined where none does. Every dialect reads the
 * beginning, which takes a millisecond: so it is found out with the first stream of a dialect, of which a client has one.
 */
export function recogniseOnce(
  dialect: Dialect,
  prefix: string,
  headers: Readonly<Record<string, string>>,
): string | undefined {
  if (!recognised.has(dialect)) {
    const found = recogniseStream(prefix, headers, dialect.name);
    recognised.set(dialect, found === 'own' ? undefined : found?.dialect);
  }
  return recognised.get(dialect);
}
