import { createHash } from 'node:crypto';
import type { Cassette } from '../cassettes/cassette.ts';
import { readCassette } from '../cassettes/read-cassette.ts';
import { UserError } from '../model/errors.ts';
import { fileProblem, type ReadNamedFile, readRegularFile } from './files.ts';
import type { Finding } from './problems.ts';
import { type Path, valueAt } from './value-paths.ts';

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

/** The cassettes of a scenario's simulator. */
export interface ScenarioCassettes {
  /** By the name of the profile. */
  cassettes: ReadonlyMap<string, Cassette>;
  /** SHA-256 of the files, by `cassette NAME`. */
  digests: ReadonlyMap<string, string>;
  findings: Finding[];
}

/** Reads the cassettes (`simulator.cassettes`) of a document. */
export function readCassettes(document: unknown, read: ReadNamedFile): ScenarioCassettes {
  const cassettes = new Map<string, Cassette>();
  const digests = new Map<string, string>();
  const findings: Finding[] = [];
  const files = valueAt(document, ['simulator', 'cassettes']);
  for (const [name, file] of Object.entries(typeof files === 'object' ? (files ?? {}) : {})) {
    if (typeof file !== 'string' || file === '') continue;
    const at: Path = ['simulator', 'cassettes', name];
    const content = read({ at, file, what: 'cassette', maxBytes: MAX_CASSETTE_BYTES });
    if (!Buffer.isBuffer(content)) {
      findings.push({ path: at, at: 'value', message: content.message, hint: content.hint });
      continue;
    }
    try {
      cassettes.set(name, readCassette(content.toString('utf8'), file));
      digests.set(`cassette ${name}`, createHash('sha256').update(content).digest('hex'));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const [{ message, hint, place } = { message: error.message }] = error.problems;
      const line = place?.line === undefined ? '' : `:${place.line}`;
      findings.push({ path: at, at: 'value', message: `${file}${line}: ${message}`, hint });
    }
  }
  return { cassettes, digests, findings };
}
