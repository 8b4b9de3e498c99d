import { access, constants, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

/** What happens to a file that exists: `force` names the flag that allows to overwrite it. */
type Existing = 'overwrite' | 'force' | 'keep';

/**
 * Checks that a file can be written, before any request is sent. Throws a `UserError` (`output_unwritable`) if it is a
 * folder, if it exists, unless `existing` is `overwrite`, or if its folder does not exist or may not be written to.
 */
export async function checkOutputFile(
  file: string,
  { existing, flag }: { existing: Existing; flag: string },
): Promise<void> {
  const refuse = (message: string, hint: string) => new UserError('output_unwritable', { message, hint });
  const { found, code } = await stat(file).then(
    (found) => ({ found, code: undefined }),
    (error: NodeJS.ErrnoException) => ({ found: undefined, code: error.code }),
  );
  if (found?.isDirectory()) {
    throw refuse(`cannot write ${file}: it is a folder`, `name a file: ${flag} ${join(file, 'NAME')}`);
  }
  if (code === 'ENAMETOOLONG')
    throw refuse(`cannot write ${file}: the name is too long`, `choose a shorter name: ${flag} FILE`);
  if (found !== undefined && existing !== 'overwrite') {
    const remedy = existing === 'force' ? ', or add --force to overwrite it' : '';
    throw refuse(`${file} already exists`, `choose another file: ${flag} FILE${remedy}`);
  }
  const folder = dirname(file);
  await access(folder, constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    const cause = error.code === 'ENOENT' ? `there is no folder ${folder}` : `${folder}: ${error.code}`;
    throw refuse(
      `cannot write ${file}: ${cause}`,
      `choose a file in a folder that exists and that you may write to: ${flag} FILE`,
    );
  });
}
