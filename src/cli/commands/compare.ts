import type { RunComparisonReport } from '../../bench/run/compare-runs.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { comparisonExitCode } from '../exit-code.ts';
import { wholeOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import { keepHeapSmall } from '../small-heap.ts';

interface CompareFlags {
  json?: boolean;
  strict?: boolean;
  seed: number;
  output: string;
}

export const compareCommand: AddCommand = (root, open) => {
  const command = root
    .command('compare')
    .description('compare two runs and report regressions')
    .argument('<base>', 'run folder, or name of a baseline')
    .argument('<new>', 'run folder, or name of a baseline')
    .option('-o, --output <folder>', 'folder with runs and baselines', 'results')
    .addOption(wholeOption('--seed <number>', 'seed of the resampling').default(1))
    .option('--strict', 'also fail (exit 5) if the result is inconclusive or not comparable')
    .option('--json', 'print the comparison as JSON')
    .action((base: string, next: string, flags: CompareFlags) => compare(base, next, flags, open()));
  addExamples(command, {
    words: 'compare main results/2026-11-21T03-31-58-demo-3f2a --strict',
    does: 'a run against the baseline "main"',
  });
};

async function compare(base: string, next: string, flags: CompareFlags, session: CliSession): Promise<void> {
  keepHeapSmall();
  const { compareFolders } = await import('../../bench/run/compare-runs.ts');
  const { findBaseline } = await import('../../results/baselines.ts');
  const comparison = await compareFolders(
    (await findBaseline(flags.output, base)).folder,
    (await findBaseline(flags.output, next)).folder,
    { seed: flags.seed, warning: (message) => session.warning(message) },
  );
  await printComparison(comparison, session, flags.json === true);
  session.exitCode = comparisonExitCode(comparison.verdict, { strict: flags.strict === true });
}

/** Prints a comparison to stdout. */
async function printComparison(
  comparison: RunComparisonReport,
  session: CliSession,
  json: boolean,
): Promise<void> {
  if (json) {
    session.printJson(comparison);
    return;
  }
  const { terminalComparison } = await import('../../report/terminal/terminal-comparison.ts');
  session.print(terminalComparison(comparison, { width: session.width, color: session.color.stdout }));
}
