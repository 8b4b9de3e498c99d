import { UserError } from '../model/errors.ts';

/** Files that the largest package opens at once while it is loaded. */
const MODULES_AT_ONCE = 256;

/**
 * What to tell the person when a module of this program could not be loaded because the limit on open files is very low;
 * undefined for any other error. Imports nothing, as imports are what failed.
 */
export function loadFailure(error: unknown): string | undefined {
  if (!/EMFILE|ENFILE|Cannot find (package|module)/.test(String(error))) return undefined;
  const report = process.report?.getReport() as
    | { userLimits?: { open_files?: { soft?: unknown } } }
    | undefined;
  const limit = Number(report?.userLimits?.open_files?.soft);
  if (!(limit < MODULES_AT_ONCE)) return undefined;
  return `the limit on open files (${limit}) is too low to load the program\n  raise it in this shell with: ulimit -n 4096`;
}

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
