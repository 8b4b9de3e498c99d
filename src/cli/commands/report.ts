import { UserError } from '../../model/errors.ts';
import { suggest } from '../../model/names.ts';
import type { AddCommand } from '../command.ts';
import type { Session } from '../session.ts';

export const reportCommand: AddCommand = (root, open) => {
  root
    .command('report')
    .description("make a run's report again from its records")
    .argument('<run>', "the run's folder, such as results/2026-01-31T12-00-00-demo-1a2b")
    .option('-f, --format <format>', 'terminal, json, markdown or csv', 'terminal')
    .action((folder: string, flags: { format: string }) => report(folder, flags.format, open()));
};

async function report(folder: string, format: string, session: Session): Promise<void> {
  const { REPORTERS } = await import('../../report/index.ts');
  const reporter = Object.entries(REPORTERS).find(([name]) => name === format)?.[1];
  const formats = ['terminal', ...Object.keys(REPORTERS)];
  if (reporter === undefined && format !== 'terminal') {
    throw new UserError('usage', { message: `unknown format "${format}"`, hint: suggest(format, formats) });
  }
  const { reportRun } = await import('../../bench/rerun.ts');
  const { report, warnings } = await reportRun(folder);
  for (const warning of warnings) session.warn(`warning: ${warning}`);
  if (reporter !== undefined) {
    session.print(reporter(report));
    return;
  }
  const { terminalReport } = await import('../../report/terminal.ts');
  session.print(terminalReport(report, { width: session.width, color: session.color.stdout }));
}
