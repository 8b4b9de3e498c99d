import { parseEnv } from 'node:util';
import { type Command, Option } from 'commander';
import { UserError } from '../../model/errors.ts';
import { collect } from './values.ts';

/** The option for files outside the scenario's folder, as commander delivers it. */
export interface AllowFileFlags {
  allowFile: string[];
}

/** Adds the option for files outside the scenario's folder. */
export function addAllowFileOption(command: Command): void {
  command.option(
    '--allow-file <path>',
    "file or folder outside the scenario's folder that it may read; repeatable",
    collect,
    [],
  );
}

/** The options for values of `${env:NAME}`, as commander delivers them. */
export interface EnvFlags {
  env: string[];
  envFrom?: string;
}

/** Adds the options for values of `${env:NAME}`. */
export function addEnvOptions(command: Command): void {
  command
    .option('-e, --env <NAME=value>', 'value of ${env:NAME}; repeatable', collect, [])
    .option('--env-from <file>', 'file with NAME=value lines for ${env:NAME}')
    .addOption(reservedByNode());
}

/**
 * Node handles `--env-file` anywhere in the command line before this program starts: it exits if the file is missing,
 * and applies a NODE_OPTIONS in the file. So this program cannot use the name.
 */
function reservedByNode(): Option {
  return new Option('--env-file <file>').hideHelp().argParser(() => {
    throw new UserError('usage', {
      message: '--env-file is an option of Node itself, which reads the file before this program starts',
      hint: 'use --env-from FILE',
    });
  });
}

/** The variables for `${env:NAME}`. `-e` overrides the file, which overrides the process environment. */
export async function envOf(
  { env: pairs, envFrom }: EnvFlags,
  processEnv: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, string | undefined>> {
  const env: Record<string, string | undefined> = { ...processEnv };
  if (envFrom !== undefined) Object.assign(env, parseEnv(await envFileText(envFrom)));
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) {
      // The text may be a key without its variable name, so the message does not repeat it.
      throw new UserError('usage', {
        message: '--env needs a name and a value',
        hint: 'use --env NAME=value',
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
    const problem = fileProblem(file, error, 'environment file', MAX_TEXT_BYTES);
    throw new UserError('usage', { ...problem, place: { file: '--env-from' } });
  }
}
