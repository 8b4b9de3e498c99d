import type { AddCommand } from '../command.ts';
import { runScenarios } from '../run-scenarios.ts';
import {
  addConnectionOptions,
  collect,
  envOf,
  numberList,
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
    .option('--dialect <name>', 'the wire format of URLs', 'openai-chat')
    .option('-c, --concurrency <list>', 'streams at once, such as 4 or 1,4,16', numberList)
    .option('-n, --requests <count>', 'measured requests of each side and load (default: 40)', Number)
    .option('--rounds <count>', 'rounds in which the sides take turns', Number)
    .option('--mode <mode>', 'streaming, non-streaming or both')
    .option(
      '-H, --header <header>',
      'a request header for both, as "name: value"; may be repeated',
      collect,
      [],
    )
    .option('--set <path=value>', 'any field of the scenario; may be repeated', collect, [])
    .option('-e, --env <NAME=value>', 'a value for ${env:NAME}; may be repeated', collect, [])
    .option('--env-file <file>', 'a file of NAME=value lines for ${env:NAME}')
    .option('--threshold <condition>', 'a gate, such as "ttft.p95 < 800ms"; may be repeated', collect, [])
    .option(
      '--objective <condition>',
      'what a good request meets, such as "ttft < 500ms" (see goodput); may be repeated',
      collect,
      [],
    )
    .option('--tokenizer <name>', 'count tokens where a provider sends no usage: o200k, or none')
    .option('-o, --output <folder>', 'where runs are kept', 'results');
  addConnectionOptions(command);
  command
    .option('--json', 'print the report as one JSON document instead of tables')
    .action((a: string, b: string, flags: AbCommandFlags) => ab(a, b, flags, open()));
};

async function ab(a: string, b: string, flags: AbCommandFlags, session: Session): Promise<void> {
  const { loadAb } = await import('../../scenario/from-flags.ts');
  const env = await envOf(flags, session.env);
  const overrides = await scenarioOverrides({ ...flags, requests: flags.requests ?? 40 });
  // The dialect is for addresses: a provider has its own.
  const { dialect, ...rest } = flags;
  const needed = [a, b].some((side) => /^https?:/.test(side)) ? { dialect } : {};
  const loaded = loadAb({ ...rest, ...needed, header: [], a, b }, { env, overrides });
  await runScenarios([loaded], { ...flags, workers: 'auto' }, session);
}
