import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../model/errors.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import type { AddCommand } from '../command.ts';
import { type RunSettings, runScenarios } from '../run-scenarios.ts';
import {
  addConnectionOptions,
  addGateOptions,
  addLoadOptions,
  addScenarioOptions,
  envOf,
  type ScenarioFlags,
  scenarioOverrides,
} from '../scenario-flags.ts';
import type { Session } from '../session.ts';

interface RunFlags extends ScenarioFlags, Omit<RunSettings, 'resume'> {
  resume?: string | true;
  target?: string;
  provider?: string;
  model?: string;
  dialect?: string;
  prompt?: string;
  apiKey?: string;
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
    .option('--model <name>', 'the model')
    .option('--dialect <name>', "the wire format, where it is not the provider's")
    .option('--prompt <text>', 'what to ask')
    .option('--api-key <key>', "the key (default: the provider's environment variable)");
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
    .option('--workers <count>', 'measuring threads: auto, or a number', 'auto')
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
  refuse(flags, FOR_FLAGS);
  const { readManifest } = await import('../../results/read-run.ts');
  const { readStoredScenario } = await import('../../scenario/stored.ts');
  const { scenario, file } = await readManifest(folder);
  const from = join(folder, 'manifest.json');
  const options = { env: await envOf(flags, session.env), overrides: await scenarioOverrides(flags) };
  return readStoredScenario(scenario.document, { file: file ?? from, from }, options);
}

const FOR_FLAGS = ['model', 'dialect', 'prompt', 'apiKey'] as const;

function isFromFlags({ target, provider }: RunFlags): boolean {
  return target !== undefined || provider !== undefined;
}

/** Every scenario is loaded before the first is run: a mistake in the last one must not cost the time of the others. */
async function loadAll(files: string[], flags: RunFlags, session: Session): Promise<LoadedScenario[]> {
  const env = await envOf(flags, session.env);
  const overrides = await scenarioOverrides(flags);
  if (!isFromFlags(flags)) {
    refuse(flags, FOR_FLAGS);
    const { loadScenario } = await import('../../scenario/load.ts');
    return (files.length > 0 ? files : [demoScenario()]).map((file) =>
      loadScenario(file, { env, overrides }),
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
  return [loadFromFlags({ ...flags, header: [] }, { env, overrides })];
}

/** A flag that would do nothing is a mistake. */
function refuse(flags: RunFlags, names: readonly (keyof RunFlags)[]): void {
  const given = names.filter((name) => flags[name] !== undefined);
  if (given.length === 0) return;
  throw new UserError('usage', {
    message: `${given.map((name) => `--${name === 'apiKey' ? 'api-key' : name}`).join(', ')} is for runs without a scenario file`,
    hint: 'give --target or --provider with it, or change the scenario with --set targets.NAME.model=...',
  });
}

function demoScenario(): string {
  return fileURLToPath(new URL('../../../scenarios/demo.yaml', import.meta.url));
}
