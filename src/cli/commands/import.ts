import { IMPORT_TOOL_NAMES, type ImportToolName } from '../../model/tool-names.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { choiceOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import { keepHeapSmall } from '../small-heap.ts';

interface ImportFlags {
  from?: ImportToolName;
  name?: string;
  target?: string;
  output: string;
  json?: boolean;
}

export const importCommand: AddCommand = (root, open) => {
  const command = root
    .command('import')
    .description("read another tool's results as a run, for report, compare and history")
    .argument('<file>', 'result file of the tool, or the folder that it wrote')
    .addOption(
      choiceOption(
        '--from <tool>',
        `the tool that wrote it: ${IMPORT_TOOL_NAMES.join(', ')} (default: by its content)`,
        IMPORT_TOOL_NAMES,
      ),
    )
    .option('--name <name>', 'name of the run; runs of one name can be compared (default: imported)')
    .option('--target <name>', 'name of the target in tables (default: the model, if the file has it)')
    .option('-o, --output <folder>', 'parent of the run folder', 'results')
    .option('--json', 'print the report as JSON instead of tables')
    .action((path: string, flags: ImportFlags) => importResults(path, flags, open()));
  addExamples(
    command,
    { words: 'import artifacts/profile_export.jsonl', does: 'a run of AIPerf' },
    { words: 'import result.json --name nightly', does: 'vllm bench serve --save-result --save-detailed' },
  );
};

async function importResults(path: string, flags: ImportFlags, session: CliSession): Promise<void> {
  keepHeapSmall();
  const { json, ...options } = flags;
  const { importRun } = await import('../../bench/run/import-run.ts');
  const { report, folder, failure } = await importRun(path, options);
  if (json) {
    const { jsonReport } = await import('../../report/formats/json.ts');
    session.print(jsonReport(report));
  } else {
    const { terminalReport } = await import('../../report/terminal/terminal.ts');
    const { width, color, ascii } = session;
    session.print(terminalReport(report, { width, color: color.stdout, ascii }));
  }
  if (failure !== undefined) {
    const { EXIT } = await import('../../model/errors.ts');
    session.exitCode = EXIT.unwritten;
    return session.warn(`some results were not written: ${failure.message}`);
  }
  session.say(`results: ${folder}`);
}
