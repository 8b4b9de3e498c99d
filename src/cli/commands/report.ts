import { REPORTER_NAMES } from '../../report/formats/names.ts';
import type { AddCommand, Session } from '../cli-session.ts';
import { choiceOption } from '../flags/values.ts';

const FORMATS: readonly string[] = ['terminal', ...REPORTER_NAMES];

export const reportCommand: AddCommand = (root, open) => {
  root
    .command('report')
    .description("make a run's report again from its records")
    .argument('<run>', "the run's folder, or its id where it is under results/")
    .addOption(
      choiceOption('-f, --format <format>', `one of ${FORMATS.join(', ')}`, FORMATS).default('terminal'),
    )
    .action((folder: string, flags: { format: string }) => report(folder, flags.format, open()));
};

async function report(folder: string, format: string, session: Session): Promise<void> {
  const { reportRun } = await import('../../bench/run/run-fold.ts');
  const { runFolder } = await import('../run-folder.ts');
  const at = runFolder(folder);
  const { report, warnings } = await reportRun(at);
  for (const warning of warnings) session.warning(warning);
  if (report.run.aborted) session.say(`to measure what is missing: streambench run --resume ${at}`);
  const name = REPORTER_NAMES.find((known) => known === format);
  if (name !== undefined) {
    const { REPORTERS } = await import('../../report/formats/index.ts');
    session.print(REPORTERS[name](report));
    return;
  }
  const { terminalReport } = await import('../../report/terminal/terminal.ts');
  session.print(terminalReport(report, { width: session.width, color: session.color.stdout }));
}
