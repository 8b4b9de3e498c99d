import { UserError } from '../../model/errors.ts';
import type { AbFlags, SideFlags } from '../../scenario/from-ab.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import { type CommandFlags, commandSides, runWithServers } from '../ab-servers.ts';
import { abGateOf } from '../ab-settings.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { addConnectionOptions } from '../flags/connection.ts';
import { type AllowFileFlags, addAllowFileOption, envOf } from '../flags/env.ts';
import { addRequestOptions, addSideOptions, type RequestFlags, sideFlags } from '../flags/request.ts';
import { addMeasurementOptions, addRunGateOptions, type RunOptionFlags } from '../flags/run.ts';
import {
  addGateOptions,
  addLoadOptions,
  addScenarioOptions,
  type ScenarioFlags,
  scenarioOverrides,
} from '../flags/scenario.ts';
import { durationOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';

interface AbCommandFlags extends ScenarioFlags, RequestFlags, AllowFileFlags, RunOptionFlags, CommandFlags {
  header: string[];
  gate?: boolean;
}

/** Without early stop, and the maximum with it: 20 requests in each round. */
const REQUESTS = 40;
const MAX_REQUESTS = 400;
const MAX_ROUNDS = 20;

export const abCommand: AddCommand = (root, open) => {
  const command = root
    .command('ab')
    .description('compare two targets, or two builds of a server, interleaved in one run')
    .argument('[a]', 'the base: PROVIDER/MODEL, such as zhipu/glm-4-flash, or URL#MODEL')
    .argument('[b]', 'the new side, in the same form');
  command
    .optionsGroup('Instead of a and b, two servers that are started and stopped:')
    .option('--base-command <command>', 'starts the base; {port} is a free port (also in $PORT)')
    .option('--new-command <command>', 'starts the new side')
    .option(
      '--url <url>',
      'where a started server takes requests; {port} is its port, #MODEL may follow (default: http://127.0.0.1:{port}/v1)',
    )
    .option(
      '--ready <url>',
      'URL or path that answers with a status below 400 when a server is ready (default: any answer at its URL)',
    )
    .addOption(durationOption('--ready-timeout <time>', 'time limit until both are ready (default: 30s)'));
  command.optionsGroup('For both sides:');
  addRequestOptions(command);
  addSideOptions(command);
  addLoadOptions(
    command,
    `per target and load level (default: ${REQUESTS}; with --until-decided at most ${MAX_REQUESTS} in ${MAX_ROUNDS} rounds)`,
  );
  addGateOptions(command);
  addRunGateOptions(command, 'b is worse than a');
  command
    .option(
      '--gate',
      'exit 4 if b is worse than a (default, unless both are models of one server or providers)',
    )
    .option('--no-gate', 'compare only');
  addScenarioOptions(command);
  addAllowFileOption(command);
  addConnectionOptions(command);
  addMeasurementOptions(command, { resume: false });
  command.action((a: string | undefined, b: string | undefined, flags: AbCommandFlags) =>
    ab(a, b, flags, open()),
  );
  addExamples(
    command,
    { words: 'ab openai/gpt-4.1-mini openai/gpt-4.1 --prompt "Hello"', does: 'two models of one provider' },
    {
      words: 'ab http://127.0.0.1:8001/v1#m http://127.0.0.1:8002/v1#m -c 1,8',
      does: 'two running builds of one server, at 1 and 8 concurrent streams; exit 4 on a regression',
    },
    {
      words: `ab --base-command "node old/server.js --port {port}" --new-command "node new/server.js --port {port}" --ready /health --until-decided`,
      does: 'two builds that are started for the run, which ends as soon as the answer is clear',
    },
  );
};

async function ab(
  a: string | undefined,
  b: string | undefined,
  flags: AbCommandFlags,
  session: CliSession,
): Promise<void> {
  const load = await loader(flags, session);
  const { runScenarios } = await import('../run-scenarios.ts');
  const sides = commandSides(a, b, flags);
  if (sides === undefined) {
    if (a === undefined || b === undefined) {
      throw new UserError('usage', {
        message: 'ab needs two sides',
        hint: 'give two targets (ab A B), or --base-command and --new-command',
      });
    }
    const { isGatedByDefault } = await import('../../scenario/ab-identity.ts');
    const loaded = load({ a, b });
    await runScenarios([loaded], settings(loaded, flags, isGatedByDefault(a, b, loaded.scenario)), session);
    return;
  }
  await runWithServers(sides, flags, session, (urls, hooks) => {
    const loaded = load({ a: urls.base, b: urls.next, names: ['base', 'new'] });
    // Ports differ from run to run; what is measured does not.
    const { hash } = load({ ...sides.stable, names: ['base', 'new'] });
    return runScenarios([{ ...loaded, hash }], settings(loaded, flags, true), session, hooks);
  });
}

function settings(loaded: LoadedScenario, flags: AbCommandFlags, isDefault: boolean) {
  const { gate, strict, regression, untilDecided } = flags;
  const isAsked = strict === true || untilDecided === true || regression.length > 0;
  const isGated = gate ?? (isDefault || isAsked);
  if (!isGated && untilDecided) {
    throw new UserError('usage', {
      message: '--until-decided needs the gate that --no-gate turns off',
      hint: 'omit one of them',
    });
  }
  return { ...flags, ab: isGated ? abGateOf(loaded.scenario, flags) : undefined };
}

/** Loads the scenario of two sides with the flags. */
async function loader(
  flags: AbCommandFlags,
  session: CliSession,
): Promise<(sides: Pick<AbFlags, 'a' | 'b' | 'names'>) => LoadedScenario> {
  const { loadAb } = await import('../../scenario/from-ab.ts');
  const { gateFindings: checkGates } = await import('../../bench/run/gates.ts');
  const env = await envOf(flags, session.env);
  const timed = flags.duration !== undefined;
  const requests = flags.requests ?? (timed ? undefined : flags.untilDecided ? MAX_REQUESTS : REQUESTS);
  const rounds = flags.rounds ?? (flags.untilDecided ? MAX_ROUNDS : undefined);
  // loadAb adds the headers to each side, because it must keep a key of one side from reaching the other.
  const overrides = await scenarioOverrides({ ...flags, requests, rounds, header: [] });
  const own: { a: SideFlags; b: SideFlags } = { a: sideFlags(flags, 'a'), b: sideFlags(flags, 'b') };
  return (sides) =>
    loadAb({ ...flags, ...sides, own }, { env, overrides, checkGates, allowFiles: flags.allowFile });
}
