import { oneLine } from '../../model/visible.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { forEachOrErrors } from '../failures.ts';
import {
  type AllowFileFlags,
  addAllowFileOption,
  addEnvOptions,
  type EnvFlags,
  envOf,
} from '../flags/env.ts';
import { addExamples } from '../help.ts';

export const validateCommand: AddCommand = (root, open) => {
  const command = root
    .command('validate')
    .description('check scenario files without sending requests')
    .argument('<scenario...>', 'scenario files (YAML or JSON)');
  addEnvOptions(command);
  addAllowFileOption(command);
  command.action((files: string[], flags: EnvFlags & AllowFileFlags) => validate(files, flags, open()));
  addExamples(command, { words: 'validate scenarios/*.yaml', does: 'all scenarios of a folder' });
};

async function validate(
  files: string[],
  flags: EnvFlags & AllowFileFlags,
  session: CliSession,
): Promise<void> {
  const { loadScenario } = await import('../../scenario/load.ts');
  const env = await envOf(flags, session.env);
  const { gateFindings } = await import('../../bench/run/gates.ts');
  forEachOrErrors(files, (file) => {
    const { scenario } = loadScenario(file, {
      env,
      allowFiles: flags.allowFile,
      checkGates: gateFindings,
    });
    session.print(`${oneLine(file)}: ok (${oneLine(scenario.name)})\n`);
  });
}
