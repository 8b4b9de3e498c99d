import { UserError } from '../model/errors.ts';
import type { ImportToolName } from '../model/tool-names.ts';
import type { ImportedRun } from './imported-run.ts';
import { readSources, type SourceFile } from './source-file.ts';
import type { FileContent, ImportTool } from './tool.ts';
import { IMPORT_TOOLS } from './tools.ts';

/** What was read, and from which files. */
export interface ImportedFiles {
  run: ImportedRun;
  files: string[];
  /** When the newest of them was last written, in ms since 1970. */
  modifiedMs: number;
}

/**
 * Reads the results of another tool from a file or a folder. The tool is recognised by the content; `from` allows only one. Throws
 * a `UserError`: `results_not_found`, `results_invalid` where no tool wrote the files, several did, they contain only aggregates, or
 * one is damaged.
 */
export async function importFiles(path: string, from?: ImportToolName): Promise<ImportedFiles> {
  const sources = await readSources(path);
  const tools = from === undefined ? Object.values(IMPORT_TOOLS) : [IMPORT_TOOLS[from]];
  const known = tools
    .map((tool) => ({
      tool,
      requests: filesOf(sources, tool, 'requests'),
      aggregates: filesOf(sources, tool, 'aggregates'),
    }))
    .filter(({ requests, aggregates }) => requests.length + aggregates.length > 0);
  const usable = known.filter(({ requests }) => requests.length > 0);
  const [first, second] = usable;
  if (second !== undefined) throw mixed(path, usable);
  if (first === undefined)
    throw known[0] === undefined ? unknown(path, sources, from) : onlyAggregates(known[0]);
  const { tool, requests, aggregates } = first;
  const run = tool.read({ requests, aggregates });
  if (run.records.length === 0) {
    throw new UserError('results_invalid', {
      message: 'contains no request',
      place: { file: requests[0]?.path ?? path },
      hint: tool.remedy,
    });
  }
  return {
    run,
    files: requests.map((file) => file.path),
    modifiedMs: Math.max(...requests.map(({ modifiedMs }) => modifiedMs)),
  };
}

function filesOf(sources: readonly SourceFile[], tool: ImportTool, content: FileContent): SourceFile[] {
  return sources.filter((file) => tool.recognise(file) === content);
}

function mixed(path: string, tools: readonly { tool: ImportTool; requests: SourceFile[] }[]): UserError {
  const found = tools.map(({ tool, requests }) => `${tool.title} (${requests[0]?.path})`);
  return new UserError('results_invalid', {
    message: `${path} contains results of ${found.length} tools: ${found.join(', ')}`,
    hint: `import one at a time: name its file, or --from ${tools.map(({ tool }) => tool.name).join(' or --from ')}`,
  });
}

function onlyAggregates({ tool, aggregates }: { tool: ImportTool; aggregates: SourceFile[] }): UserError {
  return new UserError('results_invalid', {
    message: `contains only aggregates of ${tool.title}: nothing can be imported without an entry per request`,
    place: { file: aggregates[0]?.path ?? '' },
    hint: tool.remedy,
  });
}

function unknown(path: string, sources: readonly SourceFile[], from?: ImportToolName): UserError {
  const other = Object.values(IMPORT_TOOLS).find((tool) =>
    sources.some((file) => tool.recognise(file) !== undefined),
  );
  const titles = Object.values(IMPORT_TOOLS).map(({ title }) => title);
  return new UserError('results_invalid', {
    message:
      from === undefined
        ? `${path} contains no results of a known tool`
        : `${path} contains no results of ${IMPORT_TOOLS[from].title}`,
    hint:
      other === undefined
        ? `known are the JSON results of ${titles.slice(0, -1).join(', ')} and ${titles.at(-1)}`
        : `it contains results of ${other.title}: --from ${other.name}, or omit --from`,
  });
}
