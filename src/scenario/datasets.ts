import { closeSync, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Problem } from '../model/errors.ts';
import type { Dataset, DatasetFormat } from '../model/prompt.ts';
import {
  type CheckedDataset,
  checkDatasetFile,
  checkDatasetFolder,
  type DatasetOptions,
} from '../prompts/dataset-check.ts';
import type { DatasetEntry } from '../prompts/dataset-entry.ts';
import {
  fileProblem,
  type LocateNamedFile,
  MAX_TEXT_BYTES,
  openRegularFile,
  type ReadNamedFile,
} from './files.ts';
import { brokenFileFindings, type Finding } from './problems.ts';
import { promptPaths } from './prompt-files.ts';
import { datasetSchema, type ScenarioDataset } from './schema/prompt-source.ts';
import { type Path, valueAt } from './value-paths.ts';

/** Finds and checks the datasets of a scenario. */

/** The datasets of a scenario. */
export interface ScenarioDatasets {
  /** By `datasetKey`. */
  datasets: ReadonlyMap<string, { dataset: Dataset; first: DatasetEntry }>;
  /** SHA-256 of the contents, by `datasetKey`. */
  digests: ReadonlyMap<string, string>;
  findings: Finding[];
}

/** Access to the files of a scenario. */
export interface ScenarioFiles {
  locate: LocateNamedFile;
  read: ReadNamedFile;
}

/** One text for equal settings. `conversations`: whole conversations are read, for sessions. */
export function datasetKey(settings: ScenarioDataset, conversations: boolean): string {
  return JSON.stringify(conversations ? { ...settings, conversations } : settings);
}

const FORMATS: Readonly<Record<string, DatasetFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.csv': 'csv',
};

/** Checks every entry of the datasets of all prompts in a document. Each file is read once, and is not kept in memory. */
export function readDatasets(document: unknown, seed: number, files: ScenarioFiles): ScenarioDatasets {
  const datasets = new Map<string, { dataset: Dataset; first: DatasetEntry }>();
  const digests = new Map<string, string>();
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const prompt of promptPaths(document)) {
    const path: Path = [...prompt, 'dataset'];
    const parsed = datasetSchema.safeParse(valueAt(document, path));
    if (!parsed.success) continue;
    const conversations = valueAt(document, [...prompt, 'session']) !== undefined;
    const key = datasetKey(parsed.data, conversations);
    if (seen.has(key)) continue;
    seen.add(key);
    const at: Path = typeof valueAt(document, path) === 'string' ? path : [...path, 'path'];
    const checked = checkDataset(parsed.data, at, { seed, conversations }, files);
    if ('message' in checked) findings.push({ path: at, at: 'value', ...checked });
    else if ('problems' in checked)
      findings.push(
        ...brokenFileFindings(checked, {
          at,
          file: parsed.data.path,
          what: 'dataset',
          entries: ['entry', 'entries'],
        }),
      );
    else {
      datasets.set(key, checked);
      digests.set(`dataset ${key}`, checked.digest);
    }
  }
  return { datasets, digests, findings };
}

function checkDataset(
  settings: ScenarioDataset,
  at: Path,
  given: Pick<DatasetOptions, 'seed' | 'conversations'>,
  { locate, read }: ScenarioFiles,
): CheckedDataset | Problem {
  const { path: file } = settings;
  const located = locate({ at, file, what: 'dataset' });
  if (!('path' in located)) return located;
  const { path } = located;
  try {
    const isFolder = statSync(path).isDirectory();
    const format = settings.format ?? (isFolder ? 'text' : FORMATS[extname(file).toLowerCase()]);
    if (format === undefined) {
      const known = Object.keys(FORMATS).join(', ');
      return {
        message: `unknown type of dataset: ${file}`,
        hint: `use a file that ends in ${known}, a folder of text files, or set format`,
      };
    }
    if (isFolder !== (format === 'text')) {
      return isFolder
        ? {
            message: `the dataset ${file} is a folder`,
            hint: 'a folder has the format text, one prompt in each file',
          }
        : {
            message: `the dataset ${file} is not a folder`,
            hint: 'format: text is a folder with one prompt in each file',
          };
    }
    const options = optionsOf(settings, given, format);
    if (format !== 'text') return checkFile(path, format, options);
    const names = textFiles(path);
    const content = (name: string) => {
      const one = read({ at, file: join(file, name), what: 'prompt file', maxBytes: MAX_TEXT_BYTES });
      return Buffer.isBuffer(one) ? one : { cause: one.message, remedy: one.hint ?? 'remove the file' };
    };
    return checkDatasetFolder(path, names, content, options);
  } catch (error) {
    return fileProblem(path, error, 'dataset', Number.POSITIVE_INFINITY);
  }
}

function checkFile(
  path: string,
  format: Exclude<DatasetFormat, 'text'>,
  options: DatasetOptions,
): CheckedDataset {
  const file = openRegularFile(path);
  try {
    return checkDatasetFile(file, path, format, options);
  } finally {
    closeSync(file);
  }
}

function optionsOf(
  { column, history, order, minChars, maxChars, count }: ScenarioDataset,
  given: Pick<DatasetOptions, 'seed' | 'conversations'>,
  format: DatasetFormat,
): DatasetOptions {
  const field = format === 'text' ? undefined : column;
  return { ...given, column: field, history, order, minChars, maxChars, maxCount: count };
}

// Hidden files are those of the system and of editors.
function textFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
