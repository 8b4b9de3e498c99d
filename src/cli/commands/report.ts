import { UserError } from '../../model/errors.ts';
import { suggest } from '../../model/names.ts';
import type { AddCommand } from '../command.ts';
import type { Session } from '../session.ts';

export const reportCommand: AddCommand = (root, open) => {
  root
    .command('report')
    .description("make a run's report again from its records")
    .argument('<run>', "the run's folder, or its id where it is under results/")
    .option('-f, --format <format>', 'terminal, json, markdown or csv', 'terminal')
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
  const { REPORTERS } = await import('../../report/index.ts');
  const reporter = Object.entries(REPORTERS).find(([name]) => name === format)?.[1];
  const formats = ['terminal', ...Object.keys(REPORTERS)];
  if (reporter === undefined && format !== 'terminal') {
    throw new UserError('usage', { message: `unknown format "${format}"`, hint: suggest(format, formats) });
  }
  const { reportRun } = await import('../../bench/rerun.ts');
  const { report, warnings } = await reportRun(await folderOf(folder));
  for (const warning of warnings) session.warn(`warning: ${warning}`);
  if (reporter !== undefined) {
    session.print(reporter(report));
    return;
  }
  const { terminalReport } = await import('../../report/terminal.ts');
  session.print(terminalReport(report, { width: session.width, color: session.color.stdout }));
}
