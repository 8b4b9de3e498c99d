import type { AddCommand, Session } from '../cli-session.ts';
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
import { runScenarios } from '../run-scenarios.ts';

interface AbCommandFlags extends ScenarioFlags, RequestFlags {
  header: string[];
  output: string;
  json?: boolean;
}

export const abCommand: AddCommand = (root, open) => {
  const command = root
    .command('ab')
    .description('target A against target B, interleaved in one run')
    .argument('<a>', 'PROVIDER/MODEL, such as zhipu/glm-4-flash, or URL#MODEL')
    .argument('<b>', 'the other side');
  command.optionsGroup('For both sides:');
  addRequestOptions(command);
  addSideOptions(command);
  addLoadOptions(command, 'of each side and load (default: 40)');
  addGateOptions(command);
  addScenarioOptions(command);
  addConnectionOptions(command);
  command
    .optionsGroup('Output:')
    .option('-o, --output <folder>', 'where runs are kept', 'results')
    .option('--json', 'print the report as one JSON document instead of tables')
    .action((a: string, b: string, flags: AbCommandFlags) => ab(a, b, flags, open()));
};

async function ab(a: string, b: string, flags: AbCommandFlags, session: Session): Promise<void> {
  const { loadAb } = await import('../../scenario/from-ab.ts');
  const env = await envOf(flags, session.env);
  const requests = flags.requests ?? (flags.duration === undefined ? 40 : undefined);
  // Headers are given to each side by itself: what is shared must not carry a key to the other side.
  const overrides = await scenarioOverrides({ ...flags, requests, header: [] });
  const own = { a: sideFlags(flags, 'a'), b: sideFlags(flags, 'b') };
  const { gateFindings: checkGates } = await import('../../bench/run/gates.ts');
  const loaded = loadAb({ ...flags, a, b, own }, { env, overrides, checkGates });
  await runScenarios([loaded], { ...flags, workers: 'auto' }, session);
}
