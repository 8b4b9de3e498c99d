import { UserError } from '../model/errors.ts';
import type { ViewToolName } from '../model/tool-names.ts';
import type { CliSession } from './cli-session.ts';

/** How a run is shown under the definitions of another tool. */
interface ToolReportOptions {
  tool: ViewToolName;
  /** As given with --format. */
  format: string;
  /** The text goes to a file, not to a terminal. */
  isFile: boolean;
}

/** The report of `report --as`. Throws a `UserError` (`usage`) for a format that it does not have. */
export async function toolReport(
  folder: string,
  { tool, format, isFile }: ToolReportOptions,
  session: CliSession,
): Promise<string> {
  if (format !== 'terminal' && format !== 'json') {
    throw new UserError('usage', {
      message: `--as ${tool} cannot be combined with -f ${format}`,
      hint: '--as prints -f terminal or -f json',
    });
  }
  const { toolView } = await import('../bench/run/tool-view.ts');
  const { view, warnings } = await toolView(folder, tool);
  for (const warning of warnings) session.warning(warning);
  if (format === 'json') return `${JSON.stringify(view, null, 2)}\n`;
  const { terminalToolView } = await import('../report/terminal/terminal-tool-view.ts');
  const { width, color, ascii } = session;
  return terminalToolView(view, { width, color: isFile ? 0 : color.stdout, ascii });
}
