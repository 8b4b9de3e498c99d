import { UserError } from '../model/errors.ts';
import type { ImportedRun } from './imported-run.ts';
import type { SourceFile } from './source-file.ts';

/** What a file of a tool holds: one entry per request, or only figures over all of them. */
export type FileContent = 'requests' | 'aggregates';

/** A tool whose results can be imported. */
export interface ImportTool {
  /** The value of `--from`. */
  name: string;
  /** Its name in texts. */
  title: string;
  /** The option that makes the tool write a file with one entry per request. */
  remedy: string;
  /** What the file contains; undefined for a file of another tool. */
  recognise(file: SourceFile): FileContent | undefined;
  /**
   * Reads a run. `requests` is not empty. `aggregates`: further files of the tool that were found next to them. Throws a `UserError`
   * (`results_invalid`) where a file contains something unexpected.
   */
  read(files: { requests: readonly SourceFile[]; aggregates: readonly SourceFile[] }): ImportedRun;
}

/** The file of a run, for tools whose run is one file. Throws a `UserError` (`results_invalid`) for several. */
export function onlyFile([file, second]: readonly SourceFile[], tool: string): SourceFile {
  if (file === undefined) throw new Error('no file to read');
  if (second === undefined) return file;
  throw new UserError('results_invalid', {
    message: `${file.path} and ${second.path} are two results of ${tool}`,
    hint: 'import one at a time: name the file',
  });
}
