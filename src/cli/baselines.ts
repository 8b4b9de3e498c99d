import type { Baseline } from '../bench/run/baseline.ts';
import type { SaveOptions } from '../bench/run/save-baseline.ts';
import type { Report } from '../model/report.ts';
import type { CliSession } from './cli-session.ts';

interface BaselineFlags {
  output: string;
  strict?: boolean;
  baseline?: string;
  saveBaseline?: string;
  /** A share: 0.05 is 5 %. */
  assumedSpread?: number;
  anyMachine?: boolean;
}

/**
 * Checks the name of `--save-baseline` and opens the baseline of `--baseline`; undefined without one. Throws a `UserError` for a
 * name that cannot be used and for a baseline that cannot be read.
 */
export async function openBaselines({
  baseline: name,
  saveBaseline,
  strict = false,
  output,
  assumedSpread,
  anyMachine,
}: BaselineFlags): Promise<Baseline | undefined> {
  if (saveBaseline !== undefined) {
    const { checkBaselineName } = await import('../results/baselines.ts');
    checkBaselineName(saveBaseline);
  }
  if (name === undefined) return undefined;
  const { openBaseline } = await import('../bench/run/baseline.ts');
  return openBaseline({ name, output, strict, assumedSpread, anyMachine });
}

/** Adds a run to the baseline of `--save-baseline`, and prints where, or why not. Without a name it does nothing. */
export async function saveBaseline(
  folder: string,
  report: Report,
  { name, ...options }: Omit<SaveOptions, 'name'> & { name?: string },
  session: CliSession,
): Promise<void> {
  if (name === undefined) return;
  const { saveToBaseline } = await import('../bench/run/save-baseline.ts');
  const saved = await saveToBaseline(folder, report, { ...options, name });
  if ('path' in saved) return session.say(`baseline ${name}: ${saved.path}`);
  const remedy = saved.accept ? `; to accept the run: streambench baseline accept ${name} ${folder}` : '';
  session.warn(`not added to baseline "${name}", which is kept as it was: ${saved.kept}${remedy}`);
}
