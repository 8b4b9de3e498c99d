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
