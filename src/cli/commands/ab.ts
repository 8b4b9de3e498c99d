import type { AddCommand } from '../command.ts';
import { runScenarios } from '../run-scenarios.ts';
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

interface AbCommandFlags extends ScenarioFlags {
  prompt?: string;
  dialect?: string;
  output: string;
  json?: boolean;
}

export const abCommand: AddCommand = (root, open) => {
  const command = root
    .command('ab')
    .description('target A against target B, interleaved in one run')
    .argument('<a>', 'PROVIDER/MODEL, such as zhipu/glm-4-flash, or URL#MODEL')
    .argument('<b>', 'the other side')
    .option('--prompt <text>', 'what to ask both')
    .option('--dialect <name>', 'the wire format of URLs', 'openai-chat');
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
  const { loadAb } = await import('../../scenario/from-flags.ts');
  const env = await envOf(flags, session.env);
  const requests = flags.requests ?? (flags.duration === undefined ? 40 : undefined);
  const overrides = await scenarioOverrides({ ...flags, ...(requests === undefined ? {} : { requests }) });
  // The dialect is for addresses: a provider has its own.
  const { dialect, ...rest } = flags;
  const needed = [a, b].some((side) => /^https?:/.test(side)) ? { dialect } : {};
  const loaded = loadAb({ ...rest, ...needed, header: [], a, b }, { env, overrides });
  await runScenarios([loaded], { ...flags, workers: 'auto' }, session);
}
