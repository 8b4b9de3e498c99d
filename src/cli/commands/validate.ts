import { UserError } from '../../model/errors.ts';
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
  const { checkGates } = await import('../../bench/gates.ts');
  // Every file is looked at, whatever was wrong with the ones before.
  const wrong: UserError[] = [];
  for (const file of files) {
    try {
      const loaded = loadScenario(file, { env });
      checkGates(loaded);
      session.print(`${file}: ok (${loaded.scenario.name})\n`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      wrong.push(error);
    }
  }
  const [first] = wrong;
  if (first !== undefined) {
    throw new UserError(
      first.code,
      wrong.flatMap(({ problems }) => problems),
    );
  }
}
