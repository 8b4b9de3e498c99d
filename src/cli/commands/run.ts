import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { UserError } from '../../model/errors.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import type { AddCommand } from '../command.ts';
import { type RunSettings, runScenarios } from '../run-scenarios.ts';
import {
  addConnectionOptions,
  collect,
  envOf,
  numberList,
  type ScenarioFlags,
  scenarioOverrides,
} from '../scenario-flags.ts';
import type { Session } from '../session.ts';

interface RunFlags extends ScenarioFlags, RunSettings {
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
  addScenarioOptions(command);
  addConnectionOptions(command);
  command
    .option('--target <url>', "without a file: the API's base URL, or the endpoint's full URL")
    .option(
      '--provider <name>',
      'without a file: a provider known by name (see `streambench providers`), or service, the reference service',
    )
    .option('--model <name>', 'without a file: the model')
    .option('--dialect <name>', "without a file: the wire format, where it is not the provider's")
    .option('--prompt <text>', 'without a file: what to ask')
    .option('--api-key <key>', "without a file: the key (default: the provider's environment variable)")
    .option('-o, --output <folder>', 'where runs are kept', 'results')
    .option('--json', 'print the report as one JSON document instead of tables')
    .option('--workers <count>', 'measuring threads: auto, or a number', 'auto')
    .option('--calibrate', "measure the client's own noise floor at each concurrency first")
    .option(
      '--baseline <name>',
      'compare with this baseline (a name, or a run folder): exit 4 on a regression, 5 when it is of something else',
    )
    .option('--save-baseline <name>', 'keep this run as a baseline')
    .option('--strict', 'fail also when the client could not keep up (6) or a comparison knows nothing (5)')
    .option('--dry-run', 'print what would be done, and send nothing')
    .action((files: string[], flags: RunFlags) => run(files, flags, open()));
};

/** The options that change a scenario. */
function addScenarioOptions(command: Command): void {
  command
    .option('-c, --concurrency <list>', 'streams at once, such as 4 or 1,4,16', numberList)
    .option(
      '--rate <list>',
      'requests a second, such as 5 or 5,20, whatever becomes of the ones before (open loop)',
      numberList,
    )
    .option('--arrivals <process>', 'with --rate: poisson (at random) or constant')
    .option('--max-concurrency <count>', 'with --rate: the most streams at once', Number)
    .option('-n, --requests <count>', 'measured requests of each cell, all rounds together', Number)
    .option('-d, --duration <time>', 'time limit of each cell, such as 30s')
    .option('--rounds <count>', 'rounds in which the cells are interleaved', Number)
    .option('--warmup <count>', 'unmeasured requests before the first of a cell', Number)
    .option('--mode <mode>', 'streaming, non-streaming or both')
    .option('-t, --timeout <time>', 'total time limit of a request, such as 90s')
    .option('-H, --header <header>', 'a request header, as "name: value"; may be repeated', collect, [])
    .option('--threshold <condition>', 'a gate, such as "ttft.p95 < 800ms"; may be repeated', collect, [])
    .option(
      '--objective <condition>',
      'what a good request meets, such as "ttft < 500ms" (see goodput); may be repeated',
      collect,
      [],
    )
    .option('--keep-text', "keep the answers' texts in the records")
    .option('--tokenizer <name>', 'count tokens where a provider sends no usage: o200k, or none')
    .option('-e, --env <NAME=value>', 'a value for ${env:NAME}; may be repeated', collect, [])
    .option('--env-file <file>', 'a file of NAME=value lines for ${env:NAME}')
    .option(
      '--set <path=value>',
      'any field of the scenario, such as load.rounds=3; may be repeated',
      collect,
      [],
    );
}

async function run(files: string[], flags: RunFlags, session: Session): Promise<void> {
  await runScenarios(await loadAll(files, flags, session), flags, session);
}

/** Every scenario is loaded before the first is run: a mistake in the last one must not cost the time of the others. */
async function loadAll(files: string[], flags: RunFlags, session: Session): Promise<LoadedScenario[]> {
  const env = await envOf(flags, session.env);
  const overrides = await scenarioOverrides(flags);
  if (flags.target === undefined && flags.provider === undefined) {
    refuse(flags, ['model', 'dialect', 'prompt', 'apiKey']);
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
