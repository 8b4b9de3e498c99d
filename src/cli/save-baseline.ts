import type { SaveOptions } from '../bench/run/save-baseline.ts';
import type { Report } from '../model/report.ts';
import type { CliSession } from './cli-session.ts';

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
