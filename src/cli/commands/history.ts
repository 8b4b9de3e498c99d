import type { GateCheck } from '../../analysis/regression/checks.ts';
import type { HistoryRuns } from '../../bench/run/history-runs.ts';
import type { AcceptedRun } from '../../model/accepted-run.ts';
import { UserError } from '../../model/errors.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { collect, wholeOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import { keepHeapSmall } from '../small-heap.ts';

/** The search takes seconds for these with 24 cells. */
const MOST_RUNS = 1000;

interface HistoryFlags {
  output: string;
  runs?: string[];
  last: number;
  seed: number;
  json?: boolean;
  html?: string;
  open?: boolean;
}

export const historyCommand: AddCommand = (root, open) => {
  const command = root
    .command('history')
    .description('show the trend of stored runs and where it changes')
    .argument('[name]', 'baseline; with --runs a figure')
    .argument('[figure...]', 'such as ttft.p50; one figure is shown run by run and cell by cell')
    .option(
      '--runs <folder>',
      "read run folders instead of a baseline, such as 'results/*'; repeatable",
      collect,
    )
    .option('-o, --output <folder>', 'folder with runs and baselines', 'results')
    .addOption(wholeOption('--last <number>', 'newest runs to read', { min: 1, max: MOST_RUNS }).default(100))
    .addOption(wholeOption('--seed <number>', 'seed of the permutation test').default(1))
    .option('--json', 'print as JSON')
    .option('--html <file>', 'also write a page with charts')
    .option('--open', 'open the page of --html in the browser')
    .action((name: string | undefined, figures: string[], flags: HistoryFlags) =>
      history(name, figures, flags, open()),
    );
  addExamples(
    command,
    { words: 'history main', does: 'the figures of the baseline "main"' },
    { words: 'history main ttft.p50 --html history.html', does: 'one figure in detail, also as a page' },
    { words: "history --runs 'results/*' ttft.p50", does: 'all runs of a folder, accepted or not' },
  );
};

async function history(
  name: string | undefined,
  figures: readonly string[],
  flags: HistoryFlags,
  session: CliSession,
): Promise<void> {
  keepHeapSmall();
  if (flags.open) (await import('../open-page.ts')).checkOpen(flags);
  const { parseChecks } = await import('../../analysis/regression/checks.ts');
  const { historyOf } = await import('../../analysis/history/history.ts');
  const { source, named } = sourceOf(name, figures, flags);
  const chosen = named.length === 0 ? undefined : parseChecks(named);
  const { runs, warnings } = await readRuns(source, chosen, flags);
  const { checks, missing } = await figuresOf(runs, chosen);
  const report = historyOf(runs, {
    source: typeof source === 'string' ? source : sourceInWords(source),
    figures: checks.map(({ figure, unit, better }) => ({ figure, unit, better })),
    byCell: checks.length === 1,
    seed: flags.seed,
    warnings: [...warnings, ...missing],
  });
  for (const warning of report.warnings) session.warning(warning);
  if (flags.json) session.printJson(report);
  else {
    const { terminalHistory } = await import('../../report/history/terminal-history.ts');
    const { ascii } = session;
    session.print(terminalHistory(report, { width: session.width, color: session.color.stdout, ascii }));
  }
  if (flags.html !== undefined) {
    const { htmlHistory } = await import('../../report/html/history-page.ts');
    const { writePage } = await import('../open-page.ts');
    await writePage(flags.html, htmlHistory(report), flags, session);
  }
}

/** What to read, and the figures that were named. With --runs every argument is a figure, or another folder. */
function sourceOf(
  name: string | undefined,
  figures: readonly string[],
  { runs }: HistoryFlags,
): { source: string | readonly string[]; named: readonly string[] } {
  if (runs !== undefined) {
    const words = name === undefined ? [] : [name, ...figures];
    // A shell expands results/* without quotes: only the first folder is then the value of --runs.
    const isFolder = (word: string) => /[\\/]/.test(word);
    return {
      source: [...runs, ...words.filter(isFolder)],
      named: words.filter((word) => !isFolder(word)),
    };
  }
  if (name !== undefined) return { source: name, named: figures };
  throw new UserError('usage', {
    message: 'no baseline and no runs given',
    hint: "streambench history main, or streambench history --runs 'results/*'",
  });
}

function sourceInWords([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

async function readRuns(
  source: string | readonly string[],
  checks: readonly GateCheck[] | undefined,
  { output, last }: HistoryFlags,
): Promise<HistoryRuns> {
  if (typeof source !== 'string') {
    const { readRunFolders } = await import('../../bench/run/history-runs.ts');
    return readRunFolders(source, { last, checks });
  }
  const { readHistory } = await import('../../bench/run/compare-runs.ts');
  const warnings: string[] = [];
  const found = await readHistory(source, { output, checks, warning: (message) => warnings.push(message) });
  return { runs: found.runs.slice(-last), warnings: [...warnings, ...found.warnings] };
}

/** The figures to show: the chosen ones, else those that are checked by default and have values. */
async function figuresOf(
  runs: readonly AcceptedRun[],
  chosen: readonly GateCheck[] | undefined,
): Promise<{ checks: readonly GateCheck[]; missing: string[] }> {
  const { defaultChecks } = await import('../../analysis/regression/checks.ts');
  const known = new Set(runs.flatMap(({ cells }) => cells.flatMap((cell) => Object.keys(cell.figures))));
  const isMissing = ({ kind, figure }: GateCheck) =>
    kind === 'metric' && known.size > 0 && !known.has(figure);
  const checks = chosen ?? defaultChecks(runs);
  const missing = checks.filter(isMissing).map(({ figure }) => figure);
  if (chosen !== undefined && missing.length > 0) {
    throw new UserError('results_not_found', {
      message: `no run has a value for ${missing.join(', ')}`,
      hint: `it was not stored, or there are too few values for it; stored: ${[...known].sort().join(', ')}`,
    });
  }
  return {
    checks: checks.filter((check) => !isMissing(check)),
    missing: missing.length === 0 ? [] : [`no run has enough values for ${missing.join(', ')}`],
  };
}
