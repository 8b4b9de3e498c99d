import { dirname, resolve } from 'node:path';
import type { Cassette } from '../cassettes/cassette.ts';
import { type Place, type Problem, UserError } from '../model/errors.ts';
import { createRedactor } from '../model/redaction/redactor.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { readAuthorities } from './authorities.ts';
import { readBodies, withBody, withBodyTexts } from './bodies.ts';
import { readCassettes } from './cassettes.ts';
import { readDatasets } from './datasets.ts';
import { hashDocument, MASK, maskDocument } from './document.ts';
import { type Env, type Resolved, resolveEnv } from './env.ts';
import { namedFiles, permittedFiles } from './files.ts';
import { type AppliedOverride, applyOverrides, type Override, overrideOf } from './overrides.ts';
import { placeholderFindings, templateFindings } from './placeholders.ts';
import { type Finding, findingsOf, type PlacedProblem } from './problems.ts';
import { promptFindings } from './prompt-checks.ts';
import { type PromptFiles, readPromptFiles } from './prompt-files.ts';
import type { PromptInputs } from './prompts.ts';
import { type Source, yamlSource } from './scenario-source.ts';
import { type Scenario, scenarioSchema } from './schema/scenario.ts';
import { targetSchema } from './schema/target.ts';
import { collectSecrets, documentSecrets } from './secrets.ts';
import { defaultKey, missingKey, withKey } from './targets.ts';
import { readScenarioTrace, type ScenarioTrace, traceFindings, withTrace } from './traces.ts';
import { formatPath, isWithin, mapScalars, type Path, valueAt } from './value-paths.ts';

/**
 * Checks the scenario that a run has stored. `${env:NAME}` is resolved and prompt files are read again. `file` is the
 * scenario's file, where relative paths start; `from` is the file with the document. Throws a `UserError` like `readScenario`,
 * or with `key_missing` if the scenario had a literal key, which runs do not store.
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
      message: `${masked.map(formatPath).join(', ')}: a literal secret, which runs do not store`,
      place: { file: from },
      hint: 'add the scenario file (or the flags) of the run to --resume',
    });
  }
  const source: Source = { file, value: document, place: () => ({ file: from }), quoted: () => false };
  return readScenario(source, options);
}

/** Options for reading a scenario. */
export interface ParseOptions {
  /** The environment for `${env:NAME}` and for the providers' key variables. */
  env: Env;
  /** Overrides from flags, in order. */
  overrides?: readonly Override[];
  /**
   * Checks the thresholds and objectives of a resolved document, which may have other problems, so that all problems are
   * reported together. Default: no check.
   */
  checkGates?: (document: unknown) => readonly Finding[];
  /**
   * Files and folders outside the scenario's folder that it may read. Default: none.
   */
  allowFiles?: readonly string[];
  /** Reads a prompt file. Default: from disk, within the rules for scenario files. */
  readText?: (path: string) => string;
}

/** A valid scenario. */
export interface LoadedScenario {
  /** With `${env:...}` resolved, so it contains secrets. */
  scenario: Scenario;
  /** The document for reports: after overrides, with `${env:...}` unresolved and keys masked. */
  document: unknown;
  /** SHA-256 of `document` and the prompt files; key order, comments and formatting do not matter. */
  hash: string;
  secrets: readonly Secret[];
  /** The file as the user named it. */
  file: string;
  /** The contents of the files that prompts refer to. */
  promptInputs: PromptInputs;
  /** The cassettes of the simulator, by the name of the profile. */
  cassettes: ReadonlyMap<string, Cassette>;
  /** The certificate files of the targets (PEM), by the path in the scenario. */
  authorities: ReadonlyMap<string, string>;
  /** The files that the document refers to, as written in it. */
  files: readonly string[];
  /** The place of a part of the document, for problems that are found later. */
  placeOf(path: Path): Place;
}

/** Parses a scenario in YAML or JSON. Throws a `UserError` with all problems and their places. */
export function parseScenario(text: string, file: string, options: ParseOptions): LoadedScenario {
  return readScenario(yamlSource(text, file), options);
}

/** Checks a document and converts it to a scenario. Throws a `UserError` with all problems and their places. */
export function readScenario(source: Source, options: ParseOptions): LoadedScenario {
  const problems: PlacedProblem[] = [];
  const { document, applied } = applyOverrides(source.value, options.overrides ?? [], problems);
  const resolved = resolveEnv(
    document,
    options.env,
    (path) => !overrideOf(path, applied) && source.quoted(path),
  );
  const place = placer(source, applied);
  const add = (finding: Finding) => {
    const { message, hint, code } = finding;
    problems.push({ message, place: finding.place ?? place(finding.path, finding.at), hint, code });
  };
  for (const problem of resolved.problems) add({ ...problem, at: 'value', code: 'env_missing' });

  const { result, value } = check(resolved);
  const unknown = resolved.uses.filter((use) => use.missing).map((use) => use.path);
  const known = (finding: Finding) => !unknown.some((path) => isWithin(finding.path, path));
  if (!result.success) {
    const written = (path: Path) =>
      resolved.uses.find((use) => isWithin(use.path, path) && use.path.length === path.length)?.written;
    findingsOf(result.error.issues, value, written).filter(known).forEach(add);
  }

  // These checks look at each part alone, so that a mistake in one part does not hide others.
  const base = dirname(resolve(source.file));
  const files = new Set<string>();
  const rules = {
    folder: base,
    allowed: options.allowFiles ?? [],
    isUsersOwn: (path: Path) => source.fromFlags === true || overrideOf(path, applied) !== undefined,
    onFile: (file: string) => void files.add(file),
  };
  const read = namedFiles(rules);
  const { readText } = options;
  const prompts = readPromptFiles(
    value,
    readText === undefined ? read : ({ file }) => Buffer.from(readText(resolve(base, file))),
  );
  const seed = result.success ? result.data.seed : 0;
  const datasets = readDatasets(value, seed, { read, locate: permittedFiles(rules) });
  const traced = readScenarioTrace(value, permittedFiles(rules));
  const recorded = readCassettes(value, read);
  [prompts, datasets, traced, recorded]
    .flatMap(({ findings }) => findings)
    .filter(known)
    .forEach(add);
  const keys = targetKeys(value, options.env);
  keys.findings.forEach(add);
  const authorities = readAuthorities(value, read);
  authorities.findings.filter(known).forEach(add);
  options.checkGates?.(value).filter(known).forEach(add);
  const bodies = readBodies(value, read);
  [...bodies.findings, ...placeholderFindings(value, bodies.texts)].filter(known).forEach(add);
  const scenario = result.success
    ? withTrace(complete(result.data, keys.defaults, bodies.texts), traced.trace)
    : undefined;
  if (scenario !== undefined) {
    templateFindings(scenario).forEach(add);
    promptFindings(scenario, { texts: prompts.texts, datasets: datasets.datasets }).forEach(add);
    traceFindings(scenario, traced.trace).forEach(add);
  }

  if (problems.length > 0 || !result.success || scenario === undefined)
    throw invalid(problems, documentSecrets(document, resolved.uses));
  const masked = maskDocument(document);
  return {
    scenario,
    document: masked,
    hash: hashDocument(
      withBodyTexts(masked, bodies.texts),
      fileContents(prompts, [datasets.digests, recorded.digests], traced),
    ),
    secrets: collectSecrets(result.data, resolved.uses, keys.defaults),
    file: source.file,
    promptInputs: {
      texts: prompts.texts,
      media: prompts.media,
      datasets: datasets.datasets,
      trace: traced.trace,
    },
    cassettes: recorded.cassettes,
    authorities: authorities.texts,
    files: [...files],
    placeOf: (path) => place(path, 'value'),
  };
}

/** What is hashed of the files of prompts. */
function fileContents(
  { texts, media }: PromptFiles,
  digests: readonly ReadonlyMap<string, string>[],
  { digest }: ScenarioTrace,
): Map<string, string> {
  const parts = Array.from(media, ([file, { data }]): [string, string] => [`media ${file}`, data]);
  const trace: [string, string][] = digest === undefined ? [] : [['trace', digest]];
  return new Map([...texts, ...parts, ...digests.flatMap((some) => [...some]), ...trace]);
}

type Checked = { result: ReturnType<typeof scenarioSchema.safeParse>; value: unknown };

// A reference that became a number or a boolean is text after all where text is expected, such as a numeric key.
function check(resolved: Resolved): Checked {
  const result = scenarioSchema.safeParse(resolved.value);
  if (result.success) return { result, value: resolved.value };
  const wantsText = (path: Path) =>
    result.error.issues.some(
      (issue) =>
        issue.code === 'invalid_type' && issue.expected === 'string' && isSame(issue.path as Path, path),
    );
  const texts = resolved.uses.filter(
    (use) => typeof valueAt(resolved.value, use.path) !== 'string' && wantsText(use.path),
  );
  if (texts.length === 0) return { result, value: resolved.value };
  const value = mapScalars(
    resolved.value,
    (scalar, path) => texts.find((use) => isSame(use.path, path))?.text ?? scalar,
  );
  return { result: scenarioSchema.safeParse(value), value };
}

function isSame(a: Path, b: Path): boolean {
  return a.length === b.length && isWithin(a, b);
}

function placer(source: Source, applied: readonly AppliedOverride[]) {
  return (path: Path, at: 'key' | 'value'): Place => {
    const override = overrideOf(path, applied);
    return override === undefined ? source.place(path, at) : { file: override.from };
  };
}

interface TargetKeys {
  /** By index of the target. */
  defaults: ReadonlyMap<number, Secret>;
  findings: Finding[];
}

function targetKeys(document: unknown, env: Env): TargetKeys {
  const defaults = new Map<number, Secret>();
  const findings: Finding[] = [];
  const targets = valueAt(document, ['targets']);
  for (const [index, raw] of Array.isArray(targets) ? targets.entries() : []) {
    const target = targetSchema.safeParse(raw);
    if (!target.success) continue;
    const key = defaultKey(target.data, env);
    if (key !== undefined) defaults.set(index, key);
    const missing = missingKey(target.data, env);
    if (missing !== undefined) findings.push({ ...missing, path: ['targets', index] });
  }
  return { defaults, findings };
}

/** Adds the default keys and the texts of body files. */
function complete(
  scenario: Scenario,
  keys: ReadonlyMap<number, Secret>,
  bodies: ReadonlyMap<string, string>,
): Scenario {
  const targets = scenario.targets.map((target, index) => {
    const key = keys.get(index);
    return withBody(key === undefined ? target : withKey(target, key.value), bodies);
  });
  return { ...scenario, targets };
}

// The common code of all problems, or scenario_invalid.
function invalid(problems: readonly PlacedProblem[], secrets: readonly Secret[]): UserError {
  const redactor = createRedactor(secrets);
  const [first] = problems;
  const code = first?.code;
  const same = code !== undefined && problems.every((problem) => problem.code === code);
  const ordered = [...problems].sort(inOrder).map(
    ({ message, hint, place }): Problem => ({
      message: redactor.message(message),
      hint: hint === undefined ? undefined : redactor.message(hint),
      place,
    }),
  );
  return new UserError(same ? code : 'scenario_invalid', ordered);
}

function inOrder({ place: a }: Problem, { place: b }: Problem): number {
  const last = Number.MAX_SAFE_INTEGER;
  return (a?.line ?? last) - (b?.line ?? last) || (a?.column ?? last) - (b?.column ?? last);
}
