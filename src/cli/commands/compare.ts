import type { RunComparisonReport } from '../../bench/run/compare-runs.ts';
import type { AddCommand, Session } from '../cli-session.ts';
import { comparisonExitCode } from '../exit-code.ts';
import { wholeOption } from '../flags/values.ts';

interface CompareFlags {
  json?: boolean;
  strict?: boolean;
  seed: number;
  output: string;
}

export const compareCommand: AddCommand = (root, open) => {
  root
    .command('compare')
    .description('has the second run become slower than the first?')
    .argument('<base>', "a run's folder, or the name of a baseline")
    .argument('<new>', "a run's folder, or the name of a baseline")
    .option('-o, --output <folder>', 'where runs and baselines are kept', 'results')
    .addOption(wholeOption('--seed <number>', 'the seed of the resampling').default(1))
    .option('--strict', 'fail (exit 5) also when it is inconclusive or not comparable')
    .option('--json', 'print the comparison as one JSON document')
    .action((base: string, next: string, flags: CompareFlags) => compare(base, next, flags, open()));
};

async function compare(base: string, next: string, flags: CompareFlags, session: Session): Promise<void> {
  const { compareFolders } = await import('../../bench/run/compare-runs.ts');
  const { findBaseline } = await import('../../results/baselines.ts');
  const comparison = await compareFolders(
    await findBaseline(flags.output, base),
    await findBaseline(flags.output, next),
    { seed: flags.seed, warning: (message) => session.warning(message) },
  );
  await printComparison(comparison, session, flags.json === true);
  session.exitCode = comparisonExitCode(comparison.verdict, { strict: flags.strict === true });
}

/** Prints a comparison to stdout. */
export async function printComparison(
  comparison: RunComparisonReport,
  session: Session,
  json: boolean,
): Promise<void> {
  if (json) {
    session.printJson(comparison);
    return;
  }
  const { terminalComparison } = await import('../../report/terminal/terminal-comparison.ts');
  session.print(terminalComparison(comparison, { width: session.width, color: session.color.stdout }));
}
