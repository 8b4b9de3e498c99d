import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../model/errors.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import type { AddCommand, Session } from '../cli-session.ts';
import { forEachOrErrors } from '../failures.ts';
import { addConnectionOptions } from '../flags/connection.ts';
import { type AllowFileFlags, addAllowFileOption, envOf } from '../flags/env.ts';
import { addRequestOptions, type RequestFlags } from '../flags/request.ts';
import {
  addGateOptions,
  addLoadOptions,
  addScenarioOptions,
  type ScenarioFlags,
  scenarioOverrides,
} from '../flags/scenario.ts';
import { wholeOrWordOption } from '../flags/values.ts';
import { type RunSettings, runScenarios } from '../run-scenarios.ts';

interface RunFlags extends ScenarioFlags, RequestFlags, AllowFileFlags, Omit<RunSettings, 'resume'> {
  resume?: string | true;
  target?: string;
  provider?: string;
  model?: string;
  header: string[];
}

export const runCommand: AddCommand = (root, open) => {
  const command = root
    .command('run')
    .description('run scenarios; without one: the demo, against the embedded simulator')
    .argument('[scenario...]', 'scenario files (YAML or JSON)');
  command
    .optionsGroup('Without a file:')
    .option('--target <url>', "the API's base URL, or the endpoint's full URL")
    .option(
      '--provider <name>',
      'a provider known by name (see `streambench providers`), or service, the reference service',
    )
    .option('--model <name>', 'the model');
  addRequestOptions(command);
  addLoadOptions(command);
  addGateOptions(command);
  command
    .option(
      '--baseline <name>',
      'compare with this baseline (a name, or a run folder): exit 4 on a regression, 5 when it is of something else',
    )
    .option('--save-baseline <name>', 'keep this run as a baseline')
    .option('--strict', 'fail also when the client could not keep up (6) or a comparison knows nothing (5)');
  addScenarioOptions(command);
  addAllowFileOption(command);
  addConnectionOptions(command);
  command
    .optionsGroup('Measuring and output:')
    .option('-o, --output <folder>', 'where runs are kept', 'results')
    .option(
      '--resume [run]',
      'continue a run that was interrupted or has crashed: its folder or id (default: the last one)',
    )
    .option('--json', 'print the report as one JSON document instead of tables')
    .option('--keep-text', "keep the answers' texts in the records")
    .addOption(
      wholeOrWordOption('--workers <count>', 'measuring threads: auto, or a number', 'auto', {
        min: 1,
        max: 64,
      }).default('auto'),
    )
    .option('--calibrate', "measure the client's own noise floor at each concurrency first")
    .option('--dry-run', 'print what would be done, and send nothing')
    .action((files: string[], flags: RunFlags) => run(files, flags, open()));
};

async function run(files: string[], flags: RunFlags, session: Session): Promise<void> {
  const resume = flags.resume === undefined ? undefined : await resumedFolder(flags);
  const loaded =
    resume !== undefined && files.length === 0 && !isFromFlags(flags)
      ? [await loadStored(resume, flags, session)]
      : await loadAll(files, flags, session);
  await runScenarios(loaded, { ...flags, resume }, session);
}

async function resumedFolder({ resume, output }: RunFlags): Promise<string> {
  const { lastRun, runFolder } = await import('../run-folder.ts');
  return typeof resume === 'string' ? runFolder(resume, output) : lastRun(output);
}

/** The scenario as the run that is continued keeps it. */
async function loadStored(folder: string, flags: RunFlags, session: Session): Promise<LoadedScenario> {
  refuse(flags, NEEDS_NO_FILE);
  const { readManifest } = await import('../../results/read-run.ts');
  const { readStoredScenario } = await import('../../scenario/parse.ts');
  const { scenario, file } = await readManifest(folder);
  const from = join(folder, 'manifest.json');
  const { gateFindings: checkGates } = await import('../../bench/run/gates.ts');
  const [env, overrides] = [await envOf(flags, session.env), await scenarioOverrides(flags)];
  return readStoredScenario(
    scenario.document,
    { file: file ?? from, from },
    {
      ...{ env, overrides, checkGates },
      allowFiles: flags.allowFile,
    },
  );
}

function isFromFlags({ target, provider }: RunFlags): boolean {
  return target !== undefined || provider !== undefined;
}

/** Every scenario is loaded before the first is run: a mistake in the last one must not cost the time of the others. */
async function loadAll(files: string[], flags: RunFlags, session: Session): Promise<LoadedScenario[]> {
  const env = await envOf(flags, session.env);
  const { gateFindings: checkGates } = await import('../../bench/run/gates.ts');
  const overrides = await scenarioOverrides(flags);
  if (!isFromFlags(flags)) {
    refuse(flags, NEEDS_NO_FILE);
    const { loadScenario } = await import('../../scenario/load.ts');
    return forEachOrErrors(files.length > 0 ? files : [demoScenario()], (file) =>
      loadScenario(file, { env, overrides, checkGates, allowFiles: flags.allowFile }),
    );
  }
  if (files.length > 0) {
    throw new UserError('usage', {
      message: '--target and --provider are for runs without a scenario file',
      hint: 'leave out the file, or change its targets with --set targets.NAME.url=...',
    });
  }
  const { loadFromFlags } = await import('../../scenario/from-flags.ts');
  // The headers are among the overrides already.
  return [loadFromFlags({ ...flags, header: [] }, { env, overrides, checkGates })];
}

/** The flags that describe a target and a prompt, by the field of a scenario that they stand for. */
const NEEDS_NO_FILE: Partial<Record<keyof RunFlags, string>> = {
  model: 'targets.*.model=NAME',
  dialect: 'targets.*.dialect=NAME',
  prompt: 'prompts.0.text=TEXT',
  maxTokens: 'prompts.*.maxTokens=COUNT',
  apiKey: 'targets.NAME.apiKey=KEY',
  method: 'targets.*.method=GET',
  body: 'targets.*.body=TEXT',
  textPath: 'targets.*.textPath=PATH',
  exactUrl: 'targets.*.path=exact',
};

/** A flag that would do nothing is a mistake. */
function refuse(flags: RunFlags, fields: typeof NEEDS_NO_FILE): void {
  const given = (Object.keys(fields) as (keyof RunFlags)[]).filter((name) => flags[name] !== undefined);
  const [first] = given;
  if (first === undefined) return;
  const written = given.map(
    (name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  throw new UserError('usage', {
    message: `only for runs without a scenario file: ${written.join(', ')}`,
    hint: `give --target or --provider as well, or change the scenario with --set '${fields[first]}'`,
  });
}

function demoScenario(): string {
  return fileURLToPath(new URL('../../../scenarios/demo.yaml', import.meta.url));
}
