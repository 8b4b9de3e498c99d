import { closeSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Problem } from '../model/errors.ts';
import { type Trace, traceRate } from '../model/trace.ts';
import { type CheckedTrace, readTrace } from '../prompts/trace/read-trace.ts';
import { fileProblem, type LocateNamedFile, openRegularFile } from './files.ts';
import { brokenFileFindings, type Finding } from './problems.ts';
import { promptPaths } from './prompt-files.ts';
import type { Scenario } from './schema/scenario.ts';
import { traceSchema } from './schema/trace.ts';
import { type Path, valueAt } from './value-paths.ts';

/** Finds and checks the trace of a scenario. */

const AT: Path = ['load', 'trace', 'file'];
const RECORDS = 'records.ndjson';

/** The trace of a scenario's load; undefined if it has none, or one with problems. */
export interface ScenarioTrace {
  trace?: Trace;
  /** SHA-256 of the lines that are used. */
  digest?: string;
  findings: Finding[];
}

/** Reads the trace of a document, up to its limit, and checks each line. */
export function readScenarioTrace(document: unknown, locate: LocateNamedFile): ScenarioTrace {
  const parsed = traceSchema.safeParse(valueAt(document, ['load', 'trace']));
  if (!parsed.success) return { findings: [] };
  const { file, ...options } = parsed.data;
  const located = locate({ at: AT, file, what: 'trace' });
  const checked = 'path' in located ? checkFile(located.path, file, options) : located;
  if ('message' in checked) return { findings: [{ path: AT, at: 'value', ...checked }] };
  if ('problems' in checked)
    return {
      findings: brokenFileFindings(checked, { at: AT, file, what: 'trace', entries: ['line', 'lines'] }),
    };
  return { trace: { ...checked.trace, file: basename(file) }, digest: checked.digest, findings: [] };
}

function checkFile(
  path: string,
  file: string,
  options: Parameters<typeof readTrace>[1],
): CheckedTrace | Problem {
  try {
    const isRun = options.format === 'streambench' && statSync(path).isDirectory();
    const opened = openRegularFile(isRun ? join(path, RECORDS) : path);
    try {
      return readTrace(opened, options);
    } finally {
      closeSync(opened);
    }
  } catch (error) {
    return fileProblem(file, error, 'trace', Number.POSITIVE_INFINITY);
  }
}

/** Problems of prompts and load that need the trace. */
export function traceFindings(scenario: Scenario, trace: Trace | undefined): Finding[] {
  const findings: Finding[] = [];
  for (const prompt of promptPaths(scenario)) {
    const path: Path = [...prompt, 'trace'];
    if (valueAt(scenario, path) === undefined) continue;
    if (prompt.length > 2) {
      findings.push({
        path,
        at: 'value',
        message: 'a prompt of a mix cannot have the lengths of a trace, whose requests have an order',
        hint: 'use it as a prompt of its own',
      });
    } else if (scenario.load.trace === undefined) {
      findings.push({
        path,
        at: 'value',
        message: 'the prompt takes its lengths from a trace, but the load has none',
        hint: 'add load.trace: { file: trace.jsonl, format: mooncake }',
      });
    } else if (trace?.inputTokens.includes(0) && trace.format === 'streambench') {
      findings.push({
        path,
        at: 'value',
        message: `some records of ${trace.file} have no number of input tokens, because the provider sent no usage`,
        hint: 'use prompts of your own with this trace: its arrivals are then replayed, not its lengths',
      });
    }
  }
  return findings;
}

/** The scenario with the load level and the number of requests of its trace. */
export function withTrace(scenario: Scenario, trace: Trace | undefined): Scenario {
  const { load } = scenario;
  if (trace === undefined || load.trace === undefined) return scenario;
  const rate = traceRate(trace, load.trace.speed);
  const levels = load.levels.map((level) => ({ ...level, rate }));
  return { ...scenario, load: { ...load, levels, requests: trace.atMs.length } };
}
