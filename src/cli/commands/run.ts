import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../model/errors.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { forEachOrErrors } from '../failures.ts';
import { addConnectionOptions } from '../flags/connection.ts';
import { type AllowFileFlags, addAllowFileOption, envOf } from '../flags/env.ts';
import { addRequestOptions, type RequestFlags } from '../flags/request.ts';
import {
  addMeasurementOptions,
  addRunGateOptions,
  addShardOptions,
  type RunOptionFlags,
  type ShardFlags,
  shardSettings,
} from '../flags/run.ts';
import {
  addGateOptions,
  addLoadOptions,
  addScenarioOptions,
  type ScenarioFlags,
  scenarioOverrides,
} from '../flags/scenario.ts';
import { addTelemetryOptions, type TelemetryFlags, telemetrySettings } from '../flags/telemetry.ts';
import { addExamples } from '../help.ts';

interface RunFlags
  extends ScenarioFlags,
    RequestFlags,
    AllowFileFlags,
    RunOptionFlags,
    ShardFlags,
    TelemetryFlags {
  resume?: string | true;
  target?: string;
  provider?: string;
  model?: string;
  header: string[];
}

export const runCommand: AddCommand = (root, open) => {
  const command = root
    .command('run')
    .description('run scenarios (default: the demo scenario against the embedded simulator)')
    .argument('[scenario...]', 'scenario files (YAML or JSON), or the URL of an API or endpoint');
  command
    .optionsGroup('Instead of a scenario file:')
    .option('--target <url>', 'base URL of an API, or full URL of an endpoint')
    .option(
      '--provider <name>',
      'provider (see `streambench providers`), or service for the reference service',
    )
    .option('--model <name>', 'model name');
  addRequestOptions(command);
  addLoadOptions(command);
  addGateOptions(command);
  addRunGateOptions(command, 'the second of two targets is worse than the first');
  addScenarioOptions(command);
  addAllowFileOption(command);
  addConnectionOptions(command);
  addMeasurementOptions(command, { resume: true });
  addShardOptions(command);
  addTelemetryOptions(command);
  command.action((files: string[], flags: RunFlags) => run(files, flags, open()));
  addExamples(
    command,
    { words: 'run', does: 'the demo scenario against the embedded simulator' },
    {
      words: 'run scenario.yaml -c 1,8 --threshold "ttft.p95 < 800ms"',
      does: 'a scenario with other load levels and a gate',
    },
    {
      words: 'run http://127.0.0.1:8000/v1 --model my-model -c 1,8',
      does: 'a URL instead of a scenario file',
    },
    {
      words: 'run --provider openai --model gpt-4.1-mini --mode both',
      does: 'no scenario file; needs OPENAI_API_KEY',
    },
  );
};

async function run(words: string[], given: RunFlags, session: CliSession): Promise<void> {
  const { files, flags } = await withUrl(words, given);
  const { shard, startAt } = await shardSettings(flags, flags, session.env);
  const resume = flags.resume === undefined ? undefined : await resumedFolder(flags);
  const loaded =
    resume !== undefined && files.length === 0 && !isFromFlags(flags)
      ? [await loadStored(resume, flags, session)]
      : await loadAll(files, flags, session);
  const telemetry = telemetrySettings(flags, session.env);
  const { runScenarios } = await import('../run-scenarios.ts');
  await runScenarios(loaded, { ...flags, resume, shard, startAt, telemetry }, session);
}

/** A URL instead of scenario files is the target. */
async function withUrl(words: string[], flags: RunFlags): Promise<{ files: string[]; flags: RunFlags }> {
  const { isUrl } = await import('../../scenario/from-flags.ts');
  const [url] = words.filter((word) => isUrl(word) && !existsSync(word));
  if (url === undefined) return { files: words, flags };
  if (words.length > 1 || flags.target !== undefined) {
    throw new UserError('usage', {
      message: 'a URL cannot be combined with scenario files, another URL or --target',
      hint: 'measure several targets with a scenario file, or compare two with streambench ab A B',
    });
  }
  return { files: [], flags: { ...flags, target: url } };
}

async function resumedFolder({ resume, output }: RunFlags): Promise<string> {
  const { latestRun, runFolder } = await import('../../results/run-folder.ts');
  return typeof resume === 'string'
    ? runFolder(resume, output)
    : latestRun(output, 'name the folder of the run: --resume FOLDER');
}

/** The scenario that is stored in the folder of the continued run. */
async function loadStored(folder: string, flags: RunFlags, session: CliSession): Promise<LoadedScenario> {
  refuseIneffective(flags);
  const { readManifest } = await import('../../results/read-run.ts');
  const { readStoredScenario } = await import('../../scenario/parse.ts');
  const { scenario, file } = await readManifest(folder);
  const from = join(folder, 'manifest.json');
  const { gateFindings: checkGates } = await import('../../bench/run/gates.ts');
  const [env, overrides] = [await envOf(flags, session.env), await scenarioOverrides(flags)];
  return readStoredScenario(
    scenario.document,
    { file: file ?? from, from },
    { env, overrides, checkGates, allowFiles: flags.allowFile },
  );
}

function isFromFlags({ target, provider }: RunFlags): boolean {
  return target !== undefined || provider !== undefined;
}

/** Loads all scenarios before the first runs, so that a mistake in the last one is found at once. */
async function loadAll(files: string[], flags: RunFlags, session: CliSession): Promise<LoadedScenario[]> {
  const env = await envOf(flags, session.env);
  const { gateFindings: checkGates } = await import('../../bench/run/gates.ts');
  const overrides = await scenarioOverrides(flags);
  if (!isFromFlags(flags)) {
    refuseIneffective(flags);
    const { loadScenario } = await import('../../scenario/load.ts');
    return forEachOrErrors(files.length > 0 ? files : [demoScenario()], (file) =>
      loadScenario(file, { env, overrides, checkGates, allowFiles: flags.allowFile }),
    );
  }
  if (files.length > 0) {
    throw new UserError('usage', {
      message: '--target and --provider cannot be combined with a scenario file',
      hint: 'omit the file, or change its targets with --set targets.NAME.url=...',
    });
  }
  const { loadFromFlags } = await import('../../scenario/from-flags.ts');
  // The overrides already contain the headers.
  return [loadFromFlags({ ...flags, header: [] }, { env, overrides, checkGates })];
}

/** The flags for runs without a scenario file, with the scenario field that each one sets. */
const SCENARIO_FIELDS: Partial<Record<keyof RunFlags, string>> = {
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

/** Throws a `UserError` (`usage`) for flags that would have no effect. */
function refuseIneffective(flags: RunFlags): void {
  const names = Object.keys(SCENARIO_FIELDS) as (keyof RunFlags)[];
  const given = names.filter((name) => flags[name] !== undefined);
  const [first] = given;
  if (first === undefined) return;
  const written = given.map(
    (name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  throw new UserError('usage', {
    message: `only valid without a scenario file: ${written.join(', ')}`,
    hint: `add --target or --provider, or change the scenario with --set '${SCENARIO_FIELDS[first]}'`,
  });
}

function demoScenario(): string {
  return fileURLToPath(new URL('../../../scenarios/demo.yaml', import.meta.url));
}
