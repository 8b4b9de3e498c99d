import { UserError } from '../model/errors.ts';
import { MASK } from './document.ts';
import { type LoadedScenario, type ParseOptions, readScenario } from './parse.ts';
import { formatPath, mapScalars, type Path } from './value-paths.ts';
import type { Source } from './scenario-source.ts';

/**
 * The scenario that a run keeps, checked again; `${env:NAME}` is looked up again, and prompt files are read again. `file`:
 * the scenario's file as the run names it, where relative paths begin; `from`: the file that holds the document. Throws a
 * `UserError` for what `readScenario` finds, and (`key_missing`) where a key was written out, which runs do not keep.
 */
export function readStoredScenario(
  document: unknown,
  { file, from }: { file: string; from: string },
  options: ParseOptions,
): LoadedScenario {
  const masked: Path[] = [];
  mapScalars(document, (value, path) => {
    if (typeof value === 'string' && value.includes(MASK)) masked.push(path);
    return value;
  });
  if (masked.length > 0) {
    throw new UserError('key_missing', {
      message: `${masked.map(formatPath).join(', ')}: a secret that was written out, which runs do not keep`,
      place: { file: from },
      hint: 'name the scenario file (or the flags) that the run was started with, beside --resume',
    });
  }
  const source: Source = { file, value: document, place: () => ({ file: from }), quoted: () => false };
  return readScenario(source, options);
}
