import { UserError } from '../model/errors.ts';

/** The number of files that the largest package opens at once while it loads. */
const MODULES_AT_ONCE = 256;

/**
 * The message for an error of loading a module when the limit on open files is too low; undefined for other errors. It
 * imports no further module, because that would fail too.
 */
export function loadFailure(error: unknown): string | undefined {
  if (!/EMFILE|ENFILE|Cannot find (package|module)/.test(String(error))) return undefined;
  const report = process.report?.getReport() as
    | { userLimits?: { open_files?: { soft?: unknown } } }
    | undefined;
  const limit = Number(report?.userLimits?.open_files?.soft);
  if (!(limit < MODULES_AT_ONCE)) return undefined;
  return `the limit on open files (${limit}) is too low to load the program\n  raise it in this shell: ulimit -n 4096`;
}

/**
 * Calls `make` for every item and returns the results. If some calls throw a `UserError`, the other items are still
 * processed, then one `UserError` with all problems is thrown.
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
