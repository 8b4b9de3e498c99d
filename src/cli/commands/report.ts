import { REPORTER_NAMES } from '../../report/formats/names.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { choiceOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import { keepHeapSmall } from '../small-heap.ts';

const FORMATS: readonly string[] = ['terminal', ...REPORTER_NAMES];

export const reportCommand: AddCommand = (root, open) => {
  const command = root
    .command('report')
    .description("rebuild a run's report from its records")
    .argument('<run>', 'run folder, or id of a run in results/')
    .addOption(
      choiceOption('-f, --format <format>', `one of ${FORMATS.join(', ')}`, FORMATS).default('terminal'),
    )
    .action((folder: string, flags: { format: string }) => report(folder, flags.format, open()));
  addExamples(command, {
    words: 'report results/2026-11-21T03-31-58-demo-3f2a -f markdown > report.md',
    does: 'a report for a pull request',
  });
};

async function report(folder: string, format: string, session: CliSession): Promise<void> {
  keepHeapSmall();
  const { reportRun } = await import('../../bench/run/report-builder.ts');
  const { runFolder } = await import('../../results/run-folder.ts');
  const at = runFolder(folder);
  const { report, warnings } = await reportRun(at);
  for (const warning of warnings) session.warning(warning);
  const isWhole = report.shard === undefined && report.machines === undefined;
  if (report.run.aborted && isWhole) session.say(`to complete the run: streambench run --resume ${at}`);
  const name = REPORTER_NAMES.find((known) => known === format);
  if (name !== undefined) {
    const { REPORTERS } = await import('../../report/formats/index.ts');
    session.print(REPORTERS[name](report));
    return;
  }
  const { terminalReport } = await import('../../report/terminal/terminal.ts');
  const ascii = session.env.TERM === 'dumb';
  session.print(terminalReport(report, { width: session.width, color: session.color.stdout, ascii }));
}
