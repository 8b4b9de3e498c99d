import { dirname } from 'node:path';
import { openBaselines, saveBaseline } from '../baselines.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { addBaselineOptions } from '../flags/run.ts';
import { addHistoryOptions } from '../flags/scenario.ts';
import { addExamples } from '../help.ts';
import { keepHeapSmall } from '../small-heap.ts';

interface MergeFlags {
  output?: string;
  json?: boolean;
  strict?: boolean;
  baseline?: string;
  saveBaseline?: string;
  accept?: boolean;
  assumedSpread?: number;
  anyMachine?: boolean;
}

export const mergeCommand: AddCommand = (root, open) => {
  const command = root
    .command('merge')
    .description('join the shards of a run into one run, and decide its gates')
    .argument('<run...>', 'the folders of all shards, in any order')
    .option(
      '-o, --output <folder>',
      'folder of the merged run, which must not exist; baselines are beside it (default: results/ID)',
    )
    .option('--json', 'print the report as JSON instead of tables');
  command.optionsGroup('Gates (what decides the exit code):');
  addBaselineOptions(command);
  addHistoryOptions(command);
  command.action((folders: string[], flags: MergeFlags) => merge(folders, flags, open()));
  addExamples(
    command,
    {
      words: 'merge shards/* -o results/merged',
      does: 'all shards in a folder; then: report results/merged',
    },
    { words: 'merge a b c d -o merged --json', does: 'the report of four shards, for a program' },
  );
};

async function merge(folders: string[], flags: MergeFlags, session: CliSession): Promise<void> {
  keepHeapSmall();
  const { mergeRuns } = await import('../../bench/machines/merge.ts');
  const { output: folder, strict = false, saveBaseline: name, accept } = flags;
  const output = folder === undefined ? 'results' : dirname(folder);
  const baseline = await openBaselines({ ...flags, output });
  const merged = await mergeRuns(folders, {
    folder,
    output,
    baseline,
    warning: (message) => session.warning(message),
  });
  const { report, failure } = merged;
  const { exitCodeOf } = await import('../exit-code.ts');
  session.exitCode = exitCodeOf(report, { strict, unwritten: failure !== undefined });
  if (flags.json) {
    const { jsonReport } = await import('../../report/formats/json.ts');
    session.print(jsonReport(report));
  } else {
    const { terminalReport } = await import('../../report/terminal/terminal.ts');
    session.print(
      terminalReport(report, { width: session.width, color: session.color.stdout, ascii: session.ascii }),
    );
  }
  if (failure !== undefined) return session.warn(`some results were not written: ${failure.message}`);
  session.say(`results: ${merged.folder}`);
  await saveBaseline(merged.folder, report, { output, name, accept, strict }, session);
}
