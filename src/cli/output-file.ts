import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../model/errors.ts';

/** Writes a result to the file that the flag names. Throws a `UserError` (`output_unwritable`) whose hint names the flag. */
export async function writeOutputFile(file: string, text: string, flag: string): Promise<void> {
  const { writeAtomically } = await import('../results/atomic-file.ts');
  try {
    await writeAtomically(file, text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [problem] = error.problems;
    throw new UserError('output_unwritable', {
      message: problem?.message ?? `cannot write ${file}`,
      hint: `choose a file in a folder that exists and that you may write to: ${flag} FILE`,
    });
  }
}

/**
 * Checks that a file can be written, before there is something to lose. Returns its path. Throws a `UserError`
 * (`output_unwritable`) if it exists, unless `force`, or if its folder does not, or may not be written to.
 */
export async function newFile(
  file: string,
  { force, flag }: { force: boolean; flag: string },
): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory()) {
    const hint = `name a file: ${flag} ${file}/NAME`;
    throw new UserError('output_unwritable', { message: `cannot write ${file}: it is a folder`, hint });
  }
  if (found !== undefined && !force) {
    const hint = `choose another file, or add --force to overwrite it`;
    throw new UserError('output_unwritable', { message: `${file} already exists`, hint });
  }
  try {
    await access(dirname(file), constants.W_OK);
  } catch (error) {
    throw new UserError('output_unwritable', {
      message: `cannot write ${file}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
      hint: `choose a file in a folder that exists and that you may write to: ${flag} FILE`,
    });
  }
  return file;
}
