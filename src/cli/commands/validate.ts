import type { AddCommand } from '../command.ts';
import { collect, envOf } from '../scenario-flags.ts';
import type { Session } from '../session.ts';

interface ValidateFlags {
  env: string[];
  envFile?: string;
}

export const validateCommand: AddCommand = (root, open) => {
  root
    .command('validate')
    .description('check scenario files and send nothing')
    .argument('<scenario...>', 'scenario files (YAML or JSON)')
    .option('-e, --env <NAME=value>', 'a value for ${env:NAME}; may be repeated', collect, [])
    .option('--env-file <file>', 'a file of NAME=value lines for ${env:NAME}')
    .action((files: string[], flags: ValidateFlags) => validate(files, flags, open()));
};

async function validate(files: string[], flags: ValidateFlags, session: Session): Promise<void> {
  const { loadScenario } = await import('../../scenario/load.ts');
  const env = await envOf(flags, session.env);
  const loaded = await Promise.all(files.map((file) => loadScenario(file, { env })));
  const { checkGates } = await import('../../bench/gates.ts');
  for (const scenario of loaded) checkGates(scenario);
  for (const [i, { scenario }] of loaded.entries()) session.print(`${files[i]}: ok (${scenario.name})\n`);
}
