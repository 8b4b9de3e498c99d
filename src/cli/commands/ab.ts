import type { AddCommand, CliSession } from '../cli-session.ts';
import { addConnectionOptions } from '../flags/connection.ts';
import { envOf } from '../flags/env.ts';
import { addRequestOptions, addSideOptions, type RequestFlags, sideFlags } from '../flags/request.ts';
import {
  addGateOptions,
  addLoadOptions,
  addScenarioOptions,
  type ScenarioFlags,
  scenarioOverrides,
} from '../flags/scenario.ts';
import { addExamples } from '../help.ts';
import { runScenarios } from '../run-scenarios.ts';

interface AbCommandFlags extends ScenarioFlags, RequestFlags {
  header: string[];
  output: string;
  json?: boolean;
}

export const abCommand: AddCommand = (root, open) => {
  const command = root
    .command('ab')
    .description('compare two targets, interleaved in one run')
    .argument('<a>', 'PROVIDER/MODEL, such as zhipu/glm-4-flash, or URL#MODEL')
    .argument('<b>', 'the other target, in the same form');
  command.optionsGroup('For both sides:');
  addRequestOptions(command);
  addSideOptions(command);
  addLoadOptions(command, 'per target and load level (default: 40)');
  addGateOptions(command);
  addScenarioOptions(command);
  addConnectionOptions(command);
  command
    .optionsGroup('Output:')
    .option('-o, --output <folder>', 'folder for run results', 'results')
    .option('--json', 'print the report as JSON instead of tables')
    .action((a: string, b: string, flags: AbCommandFlags) => ab(a, b, flags, open()));
  addExamples(
    command,
    { words: 'ab openai/gpt-4.1-mini openai/gpt-4.1 --prompt "Hello"', does: 'two models of one provider' },
    {
      words: 'ab http://127.0.0.1:8001/v1#m http://127.0.0.1:8002/v1#m -c 1,8',
      does: 'two builds of one server, at 1 and 8 concurrent streams',
    },
  );
};

async function ab(a: string, b: string, flags: AbCommandFlags, session: CliSession): Promise<void> {
  const { loadAb } = await import('../../scenario/from-ab.ts');
  const env = await envOf(flags, session.env);
  const requests = flags.requests ?? (flags.duration === undefined ? 40 : undefined);
  // loadAb adds the headers to each side, because it must keep a key of one side from reaching the other.
  const overrides = await scenarioOverrides({ ...flags, requests, header: [] });
  const own = { a: sideFlags(flags, 'a'), b: sideFlags(flags, 'b') };
  const { gateFindings: checkGates } = await import('../../bench/run/gates.ts');
  const loaded = loadAb({ ...flags, a, b, own }, { env, overrides, checkGates });
  await runScenarios([loaded], { ...flags, workers: 'auto' }, session);
}
