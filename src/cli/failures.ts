import { UserError } from '../model/errors.ts';

/**
 * What `make` gives for each item. Where it throws `UserError`s, the others are still tried, and one `UserError` with the
 * problems of all is thrown at the end.
 */
export function forEachOrErrors<T, R>(items: readonly T[], make: (item: T) => R): R[] {
  const made: R[] = [];
  const wrong: UserError[] = [];
  for (const item of items) {
    try {
      made.push(make(item));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      wrong.push(error);
    }
  }
  const [first] = wrong;
  if (first === undefined) return made;
  throw new UserError(
    first.code,
    wrong.flatMap(({ problems }) => problems),
  );
}
