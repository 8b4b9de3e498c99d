import type { AddCommand, CliSession } from '../cli-session.ts';
import { addHistoryOptions, REGRESSION_HELP } from '../flags/scenario.ts';
import { collect, wholeOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import { keepHeapSmall } from '../small-heap.ts';

interface CompareFlags {
  json?: boolean;
  strict?: boolean;
  seed: number;
  output: string;
  regression: string[];
  assumedSpread?: number;
  anyMachine?: boolean;
  html?: string;
  open?: boolean;
}

export const compareCommand: AddCommand = (root, open) => {
  const command = root
    .command('compare')
    .description('compare a run with a baseline or another run and report regressions')
    .argument('<base>', 'run folder, or name of a baseline')
    .argument('<new>', 'run folder, or name of a baseline (its newest run)')
    .option('-o, --output <folder>', 'folder with runs and baselines', 'results')
    .option('--regression <check>', REGRESSION_HELP, collect, []);
  addHistoryOptions(command);
  command
    .addOption(wholeOption('--seed <number>', 'seed of the resampling').default(1))
    .option('--strict', 'also fail (exit 5) if the result is inconclusive or not comparable')
    .option('--json', 'print the comparison as JSON')
    .option('--html <file>', 'also write a page with the intervals of all figures')
    .option('--open', 'open the page of --html in the browser')
    .action((base: string, next: string, flags: CompareFlags) => compare(base, next, flags, open()));
  addExamples(command, {
    words: 'compare main results/2026-11-21T03-31-58-demo-3f2a --strict',
    does: 'a run against the baseline "main"',
  });
};

async function compare(base: string, next: string, flags: CompareFlags, session: CliSession): Promise<void> {
  keepHeapSmall();
  if (flags.open) (await import('../open-page.ts')).checkOpen(flags);
  const { compareWithBaseline } = await import('../../bench/run/compare-runs.ts');
  const { regression, output, seed, assumedSpread, anyMachine, strict = false } = flags;
  const comparison = await compareWithBaseline(base, next, {
    ...{ output, seed, assumedSpread, anyMachine },
    regressions: regression.length === 0 ? undefined : regression,
    warning: (message) => session.warning(message),
  });
  if (flags.json) session.printJson(comparison);
  else {
    const { terminalComparison } = await import('../../report/terminal/terminal-comparison.ts');
    const { width, color, ascii } = session;
    session.print(terminalComparison(comparison, { width, color: color.stdout, ascii }));
  }
  if (flags.html !== undefined) {
    const { htmlComparison } = await import('../../report/html/comparison-page.ts');
    const { writePage } = await import('../open-page.ts');
    await writePage(flags.html, htmlComparison(comparison), flags, session);
  }
  const { comparisonExitCode } = await import('../exit-code.ts');
  session.exitCode = comparisonExitCode(comparison.verdict, { strict });
}
