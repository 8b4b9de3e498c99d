import { join } from 'node:path';
import type { RebuiltReport } from '../../bench/run/report-builder.ts';
import { UserError } from '../../model/errors.ts';
import type { Report } from '../../model/report.ts';
import { VIEW_TOOL_NAMES, type ViewToolName } from '../../model/tool-names.ts';
import { FORMAT_NAMES, REPORTER_NAMES } from '../../report/formats/names.ts';
import { PERCENTILES, type Percentile } from '../../report/percentiles.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { choiceListOption, choiceOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import { writeOutputFile } from '../output-file.ts';
import { keepHeapSmall } from '../small-heap.ts';

interface ReportFlags {
  format: string;
  out?: string;
  percentiles?: Percentile[];
  as?: ViewToolName;
  open?: boolean;
  cell?: string;
}

export const reportCommand: AddCommand = (root, open) => {
  const command = root
    .command('report')
    .description("rebuild a run's report from its records")
    .argument('[run]', 'run folder, or id of a run (default: the latest run)')
    .addOption(
      choiceOption('-f, --format <format>', `one of ${FORMAT_NAMES.join(', ')}`, FORMAT_NAMES).default(
        'terminal',
      ),
    )
    .option('-o, --out <file>', 'write the report to this file instead of stdout')
    .addOption(
      choiceListOption('--percentiles <list>', 'percentiles in the tables (default: p50,p95)', PERCENTILES),
    )
    .addOption(
      choiceOption(
        '--as <tool>',
        `figures as another tool defines them: ${VIEW_TOOL_NAMES.join(', ')} (-f terminal or json)`,
        VIEW_TOOL_NAMES,
      ),
    )
    .option(
      '--open',
      'write the HTML page (default: report.html in the run folder) and open it in the browser',
    )
    .option(
      '--cell <name>',
      'with -f hgrm: only this cell, by its number or name, such as 1 or "flash, streaming"',
    )
    .action((run: string | undefined, flags: ReportFlags) => report(run, flags, open()));
  addExamples(
    command,
    { words: 'report --percentiles p50,p95,p99', does: 'the latest run, with more percentiles' },
    { words: 'report --as vllm', does: 'TTFT, TPOT, ITL and E2EL as vllm bench serve computes them' },
    { words: 'report --open', does: 'the latest run as a page with charts, in the browser' },
    {
      words: 'report results/2026-11-21T03-31-58-demo-3f2a -f markdown -o report.md',
      does: 'a report for a pull request',
    },
  );
};

async function report(
  name: string | undefined,
  { format, out, percentiles, open = false, as: tool, cell }: ReportFlags,
  session: CliSession,
): Promise<void> {
  if (cell !== undefined && format !== 'hgrm') {
    throw new UserError('usage', {
      message: `--cell: the format ${format} has all cells`,
      hint: '--cell needs -f hgrm',
    });
  }
  keepHeapSmall();
  if (open && format !== 'terminal' && format !== 'html')
    throw new UserError('usage', {
      message: `--open opens a page, and the format is ${format}`,
      hint: 'omit one of them, or choose -f html',
    });
  const isPage = open || format === 'html';
  const { PAGE_FILE, latestRun, runFolder } = await import('../../results/run-folder.ts');
  const folder =
    name === undefined ? latestRun('results', 'name the run: streambench report FOLDER') : runFolder(name);
  if (tool !== undefined) {
    if (isPage)
      throw new UserError('usage', {
        message: '--as prints a table, and the page has none of another tool',
        hint: 'omit --open, and choose -f terminal or json',
      });
    const { toolReport } = await import('../tool-report.ts');
    return emit(await toolReport(folder, { tool, format, isFile: out !== undefined }, session), out, session);
  }
  const { report, warnings, html } = isPage ? await pageOf(folder) : await reportOf(folder);
  for (const warning of warnings) session.warning(warning);
  if (name === undefined) session.say(`run: ${folder}`);
  const isWhole = report.shard === undefined && report.machines === undefined;
  if (report.run.aborted && isWhole) session.say(`to complete the run: streambench run --resume ${folder}`);
  const file = out ?? (open ? join(folder, PAGE_FILE) : undefined);
  const text =
    html ??
    (await formatted(
      await ofCell(report, cell),
      { format, percentiles, isFile: file !== undefined },
      session,
    ));
  if (open && file !== undefined) {
    const { writePage } = await import('../open-page.ts');
    return writePage(file, text, { open, flag: '-o' }, session);
  }
  await emit(text, file, session);
}

async function emit(text: string, out: string | undefined, session: CliSession): Promise<void> {
  if (out === undefined) return session.print(text);
  await writeOutputFile(out, text, '-o');
  session.say(`written: ${out}`);
}

async function pageOf(folder: string): Promise<RebuiltReport & { html?: string }> {
  const { htmlRun } = await import('../../bench/run/html-run.ts');
  return htmlRun(folder);
}

async function reportOf(folder: string): Promise<RebuiltReport & { html?: string }> {
  const { reportRun } = await import('../../bench/run/report-builder.ts');
  return reportRun(folder);
}

async function ofCell(report: Report, wanted: string | undefined): Promise<Report> {
  if (wanted === undefined) return report;
  const { selectCell } = await import('../../report/select-cell.ts');
  return { ...report, cells: [selectCell(report, wanted)] };
}

async function formatted(
  report: Report,
  { format, percentiles, isFile }: { format: string; percentiles?: Percentile[]; isFile: boolean },
  session: CliSession,
): Promise<string> {
  const name = REPORTER_NAMES.find((known) => known === format);
  if (name !== undefined) {
    const { REPORTERS } = await import('../../report/formats/index.ts');
    return REPORTERS[name](report);
  }
  const { terminalReport } = await import('../../report/terminal/terminal.ts');
  const color = isFile ? 0 : session.color.stdout;
  const { ascii } = session;
  return terminalReport(report, { width: session.width, color, percentiles, ascii });
}
