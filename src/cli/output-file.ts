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
