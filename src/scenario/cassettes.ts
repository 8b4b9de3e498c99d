import type { Cassette } from '../cassettes/cassette.ts';
import { readCassette } from '../cassettes/read-cassette.ts';
import { UserError } from '../model/errors.ts';
import { fileProblem, readRegularFile } from './files.ts';

/** Maximum size of a cassette, in bytes. */
const MAX_CASSETTE_BYTES = 256 * 2 ** 20;

/** Reads a cassette file. Throws a `UserError` (`cassette_invalid`) where it is missing, damaged or no cassette. */
export function loadCassette(file: string): Cassette {
  return readCassette(textOf(file), file);
}

function textOf(file: string): string {
  try {
    return readRegularFile(file, MAX_CASSETTE_BYTES).toString('utf8');
  } catch (error) {
    const problem = fileProblem(file, error, 'cassette', MAX_CASSETTE_BYTES);
    const hint = problem.hint ?? 'record one: streambench record URL -o FILE';
    throw new UserError('cassette_invalid', { ...problem, hint });
  }
}
