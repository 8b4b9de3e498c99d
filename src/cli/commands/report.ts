import type { Report } from '../../model/report.ts';
import { VIEW_TOOL_NAMES, type ViewToolName } from '../../model/tool-names.ts';
import { REPORTER_NAMES } from '../../report/formats/names.ts';
import { PERCENTILES, type Percentile } from '../../report/percentiles.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { choiceListOption, choiceOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import { writeOutputFile } from '../output-file.ts';
import { keepHeapSmall } from '../small-heap.ts';

const FORMATS: readonly string[] = ['terminal', ...REPORTER_NAMES];

interface ReportFlags {
  format: string;
  out?: string;
  percentiles?: Percentile[];
  as?: ViewToolName;
}

export const reportCommand: AddCommand = (root, open) => {
  const command = root
    .command('report')
    .description("rebuild a run's report from its records")
    .argument('[run]', 'run folder, or id of a run (default: the latest run)')
    .addOption(
      choiceOption('-f, --format <format>', `one of ${FORMATS.join(', ')}`, FORMATS).default('terminal'),
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
    .action((run: string | undefined, flags: ReportFlags) => report(run, flags, open()));
  addExamples(
    command,
    { words: 'report --percentiles p50,p95,p99', does: 'the latest run, with more percentiles' },
    { words: 'report --as vllm', does: 'TTFT, TPOT, ITL and E2EL as vllm bench serve computes them' },
    {
      words: 'report results/2026-11-21T03-31-58-demo-3f2a -f markdown -o report.md',
      does: 'a report for a pull request',
    },
  );
};

async function report(
  name: string | undefined,
  { format, out, percentiles, as: tool }: ReportFlags,
  session: CliSession,
): Promise<void> {
  keepHeapSmall();
  const { latestRun, runFolder } = await import('../../results/run-folder.ts');
  const folder =
    name === undefined ? latestRun('results', 'name the run: streambench report FOLDER') : runFolder(name);
  if (tool !== undefined) {
    const { toolReport } = await import('../tool-report.ts');
    return emit(await toolReport(folder, { tool, format, isFile: out !== undefined }, session), out, session);
  }
  const { reportRun } = await import('../../bench/run/report-builder.ts');
  const { report, warnings } = await reportRun(folder);
  for (const warning of warnings) session.warning(warning);
  if (name === undefined) session.say(`run: ${folder}`);
  const isWhole = report.shard === undefined && report.machines === undefined;
  if (report.run.aborted && isWhole) session.say(`to complete the run: streambench run --resume ${folder}`);
  const text = await formatted(report, { format, percentiles, isFile: out !== undefined }, session);
  await emit(text, out, session);
}

async function emit(text: string, out: string | undefined, session: CliSession): Promise<void> {
  if (out === undefined) return session.print(text);
  await writeOutputFile(out, text, '-o');
  session.say(`written: ${out}`);
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
