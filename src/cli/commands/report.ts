import { REPORTER_NAMES } from '../../report/names.ts';
import type { AddCommand } from '../command.ts';
import { choiceOption } from '../flags/values.ts';
import type { Session } from '../session.ts';

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

/** The folder itself, or the run of that id under `results`. */
async function folderOf(run: string): Promise<string> {
  const { existsSync } = await import('node:fs');
  const { join } = await import('node:path');
  const known = join('results', run);
  return !existsSync(run) && existsSync(known) ? known : run;
}

async function report(folder: string, format: string, session: Session): Promise<void> {
  const { reportRun } = await import('../../bench/rerun.ts');
  const { report, warnings } = await reportRun(await folderOf(folder));
  for (const warning of warnings) session.warn(`warning: ${warning}`);
  const name = REPORTER_NAMES.find((known) => known === format);
  if (name !== undefined) {
    const { REPORTERS } = await import('../../report/index.ts');
    session.print(REPORTERS[name](report));
    return;
  }
  const { terminalReport } = await import('../../report/terminal.ts');
  session.print(terminalReport(report, { width: session.width, color: session.color.stdout }));
}
