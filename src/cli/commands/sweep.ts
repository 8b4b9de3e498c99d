import { UserError } from '../../model/errors.ts';
import { ARRIVALS } from '../../model/plan.ts';
import { SWEEP_AXES } from '../../model/sweep.ts';
import type { SweepFacts, SweepFlags } from '../../scenario/from-sweep.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { addConnectionOptions } from '../flags/connection.ts';
import { type AllowFileFlags, addAllowFileOption, envOf } from '../flags/env.ts';
import { addRequestOptions, MODES, type RequestFlags } from '../flags/request.ts';
import { addMeasurementOptions, type RunOptionFlags } from '../flags/run.ts';
import { addScenarioOptions, type ScenarioFlags, scenarioOverrides, UNIQUE_HELP } from '../flags/scenario.ts';
import {
  choiceOption,
  collect,
  durationOption,
  percentOption,
  positiveOption,
  wholeOption,
} from '../flags/values.ts';
import { addExamples } from '../help.ts';

type SweepCommandFlags = Omit<ScenarioFlags, 'concurrency' | 'rate' | 'rounds' | 'regression'> &
  RequestFlags &
  AllowFileFlags &
  RunOptionFlags &
  SweepFlags & { slo: string[]; provider?: string; model?: string; header: string[] };

export const sweepCommand: AddCommand = (root, open) => {
  const command = root
    .command('sweep')
    .description('find the largest load that meets objectives')
    .argument('[target]', 'URL of an API or endpoint, or a scenario file (YAML or JSON)');
  command
    .optionsGroup('Search:')
    .option(
      '--slo <condition>',
      'objective that every level must meet, such as "ttft.p95 < 800ms"; repeatable',
      collect,
      [],
    )
    .addOption(
      choiceOption(
        '--by <load>',
        'what to raise: concurrency (the default) or rate (requests/s)',
        SWEEP_AXES,
      ),
    )
    .addOption(positiveOption('--start <level>', 'first load level (default: 1)'))
    .addOption(
      positiveOption('--max <level>', 'highest load level (default: 256 streams, or 1000 requests/s)'),
    )
    .addOption(
      percentOption('--precision <percent>', 'how close the levels around the edge must be (default: 5%)'),
    )
    .addOption(wholeOption('--repeats <count>', 'most measurements of one level (default: 8)', { min: 2 }))
    .addOption(durationOption('--budget <time>', 'time limit of the sweep (default: 30m)'));
  command
    .optionsGroup('Load:')
    .addOption(
      wholeOption('-n, --requests <count>', 'judged requests per measurement (default: by the objectives)', {
        min: 1,
      }),
    )
    .addOption(durationOption('-d, --duration <time>', 'longest time of a measurement; by rate, its length'))
    .addOption(
      choiceOption('--arrivals <process>', 'by rate: poisson (random intervals) or constant', ARRIVALS),
    )
    .addOption(
      wholeOption('--max-concurrency <count>', 'by rate: maximum number of concurrent streams', { min: 1 }),
    )
    .addOption(wholeOption('--warmup <count>', 'unmeasured requests before each level'))
    .addOption(choiceOption('--mode <mode>', 'streaming, non-streaming or both', MODES))
    .addOption(durationOption('-t, --timeout <time>', 'total time limit per request, such as 90s'))
    .option('--no-unique', UNIQUE_HELP)
    .option('--keep-going', 'continue when every request to a target fails (default: stop after 5)');
  command
    .optionsGroup('Gates (what decides the exit code):')
    .option(
      '--threshold <condition>',
      'fail unless this holds: "capacity.concurrency >= 16"; repeatable',
      collect,
      [],
    )
    .option(
      '--objective <condition>',
      'limit for each request, such as "ttft < 500ms"; goodput counts those that meet it; repeatable',
      collect,
      [],
    )
    .option('--strict', 'also fail (exit 6) if the client limits the load');
  command
    .optionsGroup('Instead of a scenario file:')
    .option(
      '--provider <name>',
      'provider (see `streambench providers`), or service for the reference service',
    )
    .option('--model <name>', 'model name');
  addRequestOptions(command);
  addScenarioOptions(command);
  addAllowFileOption(command);
  addConnectionOptions(command);
  addMeasurementOptions(command, { resume: false });
  command.action((target: string | undefined, flags: SweepCommandFlags) => sweep(target, flags, open()));
  addExamples(
    command,
    {
      words: 'sweep http://127.0.0.1:8000/v1 --provider vllm --model m --slo "ttft.p95 < 800ms"',
      does: 'how many streams at once a server sustains',
    },
    {
      words: 'sweep chat.yaml --by rate --slo "ttft.p95 < 800ms" --slo "errors.rate < 1%"',
      does: 'how many requests per second each target of a scenario sustains',
    },
    {
      words: 'sweep scenarios/sweep.yaml --json | jq .sweep.capacity',
      does: 'the shipped example against the embedded simulator',
    },
  );
};

async function sweep(
  target: string | undefined,
  flags: SweepCommandFlags,
  session: CliSession,
): Promise<void> {
  const { runScenarios } = await import('../run-scenarios.ts');
  await runScenarios([await load(target, flags, session)], flags, session);
}

async function load(
  target: string | undefined,
  flags: SweepCommandFlags,
  session: CliSession,
): Promise<LoadedScenario> {
  const { assumeHttp } = await import('../../scenario/from-flags.ts');
  const { NO_FACTS, sweepFacts, sweepOverrides } = await import('../../scenario/from-sweep.ts');
  const isUrl = target !== undefined && /^https?:\/\//i.test(assumeHttp(target));
  if (target === undefined && flags.provider === undefined)
    throw new UserError('usage', {
      message: 'no target to measure',
      hint: 'give a URL, a scenario file or --provider NAME; an example: streambench sweep scenarios/sweep.yaml',
    });
  const file = isUrl ? undefined : target;
  const facts: SweepFacts = file === undefined ? NO_FACTS : sweepFacts(file);
  if (flags.slo.length === 0 && !facts.hasSweep)
    throw new UserError('usage', {
      message: 'a sweep needs objectives',
      hint: 'add what every load level must meet, such as --slo "ttft.p95 < 800ms" --slo "errors.rate < 1%"',
    });
  if (facts.thresholds > 0)
    session.say(
      `the ${facts.thresholds === 1 ? 'threshold' : 'thresholds'} of ${file} do not apply to a sweep; --threshold "capacity.concurrency >= 16" gates it`,
    );
  const env = await envOf(flags, session.env);
  const { gateFindings: checkGates } = await import('../../bench/run/gates.ts');
  const { requests: _requests, duration: _duration, ...rest } = flags;
  const others = await scenarioOverrides({ ...rest, regression: [] });
  // Before the flags for thresholds and load, which add to what is left.
  const overrides = [...sweepOverrides(flags, facts), ...others];
  const options = { env, overrides, checkGates, allowFiles: flags.allowFile };
  if (file === undefined) {
    const { loadFromFlags } = await import('../../scenario/from-flags.ts');
    const { requests: _, ...side } = flags;
    return loadFromFlags({ ...side, target, header: [] }, options);
  }
  if (flags.provider !== undefined || flags.model !== undefined)
    throw new UserError('usage', {
      message: '--provider and --model cannot be combined with a scenario file',
      hint: 'omit them, or change the targets of the file with --set targets.NAME.model=...',
    });
  const { loadScenario } = await import('../../scenario/load.ts');
  return loadScenario(file, options);
}
