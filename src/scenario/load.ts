import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { UserError } from '../model/errors.ts';
import { nearNames } from '../model/suggestions.ts';
import { fileProblem, MAX_TEXT_BYTES, readRegularFile } from './files.ts';
import { type LoadedScenario, type ParseOptions, parseScenario } from './parse.ts';

export { type LoadedScenario, type ParseOptions, parseScenario } from './parse.ts';

/**
 * Reads a scenario file, YAML or JSON. Throws a `UserError`: `scenario_not_found`, or what `parseScenario` finds.
 */
export function loadScenario(path: string, options: ParseOptions): LoadedScenario {
  return parseScenario(readScenarioFile(path), path, options);
}

function readScenarioFile(path: string): string {
  try {
    return readRegularFile(path, MAX_TEXT_BYTES).toString();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const place = { file: path };
    if (code === 'EISDIR') {
      const inside = scenarioFiles(path);
      const hint = inside.length > 0 ? `it contains: ${inside.join(', ')}` : 'it contains no scenario file';
      throw new UserError('scenario_not_found', {
        message: 'this is a folder, not a scenario file',
        place,
        hint,
      });
    }
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      const problem = fileProblem(path, error, 'scenario', MAX_TEXT_BYTES);
      throw new UserError('scenario_not_found', { ...problem, place });
    }
    throw new UserError('scenario_not_found', {
      message: 'scenario file not found',
      place,
      hint: nearby(path),
    });
  }
}

// Also searches the scenarios folder, where scenarios usually are.
function nearby(path: string): string {
  if (/^\W*curl(\.exe)?\s/.test(path))
    return 'this is a curl command: streambench init makes a scenario of it';
  if (/^[a-z][\w+.-]*:\/\//i.test(path)) return 'a URL starts with http:// or https://';
  if (HOST.test(path) && !/\.(ya?ml|json)$/i.test(path)) return `a URL needs its scheme: https://${path}`;
  const folders = [...new Set([dirname(path), 'scenarios'])];
  const files = folders.flatMap(scenarioFiles);
  const wanted = basename(path, extname(path));
  const near = nearNames(
    wanted,
    files.map((file) => basename(file, extname(file))),
  );
  const meant = near.map((name) => files.find((file) => basename(file, extname(file)) === name));
  if (meant.length > 0) return `did you mean ${meant.join(' or ')}?`;
  if (files.length > 0) return `available: ${files.slice(0, 10).join(', ')}`;
  return 'see the examples in the scenarios folder of the package';
}

/** The beginning of a URL without a scheme: a name with dots, a port or a path. */
const HOST = /^(?=[^/]*[.:])[a-z\d-]+(\.[a-z\d-]+)*(:\d{2,5})?([/?]|$)/i;

function scenarioFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/i.test(name) && statSync(join(folder, name)).isFile())
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return []; // The folder does not exist.
  }
}
