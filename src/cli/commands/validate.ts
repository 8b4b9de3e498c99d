import { UserError } from '../../model/errors.ts';
import type { AddCommand } from '../command.ts';
import { addEnvOptions, type EnvFlags, envOf } from '../flags/env.ts';
import type { Session } from '../session.ts';

export const validateCommand: AddCommand = (root, open) => {
  const command = root
    .command('validate')
    .description('check scenario files and send nothing')
    .argument('<scenario...>', 'scenario files (YAML or JSON)');
  addEnvOptions(command);
  command.action((files: string[], flags: EnvFlags) => validate(files, flags, open()));
};

async function validate(files: string[], flags: EnvFlags, session: Session): Promise<void> {
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
