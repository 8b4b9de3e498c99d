import { parseEnv } from 'node:util';
import { type Command, Option } from 'commander';
import { UserError } from '../../model/errors.ts';
import { collect } from './values.ts';

/** The option that lets a scenario read more than its own folder, as commander delivers it. */
export interface AllowFileFlags {
  allowFile: string[];
}

/** Adds the option that lets a scenario read more than its own folder. */
export function addAllowFileOption(command: Command): void {
  command.option(
    '--allow-file <path>',
    "a file or folder outside of the scenario's own that it may read; may be repeated",
    collect,
    [],
  );
}

/** Options that give values for `${env:NAME}`, as commander delivers them. */
export interface EnvFlags {
  env: string[];
  envFrom?: string;
}

/** Adds the options that give values for `${env:NAME}`. */
export function addEnvOptions(command: Command): void {
  command
    .option('-e, --env <NAME=value>', 'a value for ${env:NAME}; may be repeated', collect, [])
    .option('--env-from <file>', 'a file of NAME=value lines for ${env:NAME}')
    .addOption(takenByNode());
}

/**
 * Node looks for `--env-file` in the whole command line: it ends the process for a file that is missing and obeys a
 * NODE_OPTIONS in one that is there, all before this program begins. So the name cannot be ours.
 */
function takenByNode(): Option {
  return new Option('--env-file <file>').hideHelp().argParser(() => {
    throw new UserError('usage', {
      message: '--env-file belongs to Node itself, which reads the file before this program starts',
      hint: 'write --env-from FILE',
    });
  });
}

/** The variables for `${env:NAME}`: the process's, then those of the file, then `-e`. */
export async function envOf(
  { env: pairs, envFrom }: EnvFlags,
  processEnv: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, string | undefined>> {
  const env: Record<string, string | undefined> = { ...processEnv };
  if (envFrom !== undefined) Object.assign(env, parseEnv(await envFileText(envFrom)));
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) {
      // The text may be a key that was given without its name: it is not repeated.
      throw new UserError('usage', {
        message: '--env has no name and value',
        hint: 'write --env NAME=value',
      });
    }
    env[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return env;
}

async function envFileText(file: string): Promise<string> {
  const { fileProblem, MAX_TEXT_BYTES, readRegularFile } = await import('../../scenario/files.ts');
  try {
    return readRegularFile(file, MAX_TEXT_BYTES).toString();
  } catch (error) {
    const problem = fileProblem(file, error, 'file of variables', MAX_TEXT_BYTES);
    throw new UserError('usage', { ...problem, place: { file: '--env-from' } });
  }
}
