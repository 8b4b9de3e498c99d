import { dirname, resolve } from 'node:path';
import { type Place, type Problem, UserError } from '../model/errors.ts';
import { createRedactor } from '../model/redaction/redactor.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { readAuthorities } from './authorities.ts';
import { readBodies, withBody, withBodyTexts } from './bodies.ts';
import { hashDocument, MASK, maskDocument } from './document.ts';
import { type Env, type Resolved, resolveEnv } from './env.ts';
import { namedFiles } from './files.ts';
import { type AppliedOverride, applyOverrides, type Override, overrideOf } from './overrides.ts';
import { placeholderFindings, templateFindings } from './placeholders.ts';
import { type Finding, findingsOf, type PlacedProblem } from './problems.ts';
import { readPrompts } from './prompts.ts';
import { type Source, yamlSource } from './scenario-source.ts';
import { type Scenario, scenarioSchema } from './schema/scenario.ts';
import { targetSchema } from './schema/target.ts';
import { collectSecrets, documentSecrets } from './secrets.ts';
import { defaultKey, missingKey, withKey } from './targets.ts';
import { formatPath, isWithin, mapScalars, type Path, valueAt } from './value-paths.ts';

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

/** What a scenario is read with. */
export interface ParseOptions {
  /** The environment that `${env:NAME}` and the providers' key variables are looked up in. */
  env: Env;
  /** Edits made by flags, in order. */
  overrides?: readonly Override[];
  /**
   * Checks the thresholds and objectives of a document whose references are resolved and whose other parts may be wrong, so
   * that its findings are told with all others. Default: they are not checked.
   */
  checkGates?: (document: unknown) => readonly Finding[];
  /**
   * Files, and folders with all that is in them, that the scenario may read beside those of its own folder (prompts,
   * certificates). Default: none.
   */
  allowFiles?: readonly string[];
  /** Reads a prompt's file. Default: from the disk, as far as the scenario may. */
  readText?: (path: string) => string;
}

/** A scenario that was read and found good. */
export interface LoadedScenario {
  /** With `${env:...}` resolved, so it holds secrets. */
  scenario: Scenario;
  /** As written, after overrides, with `${env:...}` unresolved and keys masked: this goes into reports. */
  document: unknown;
  /** SHA-256 over `document` and the prompts' files; key order, comments and formatting do not count. */
  hash: string;
  secrets: readonly Secret[];
  /** The file as the user named it. */
  file: string;
  /** The texts of the prompts' files, by the path in the scenario. */
  promptTexts: ReadonlyMap<string, string>;
  /** The certificates of the targets' files of authorities (PEM), by the path in the scenario. */
  authorities: ReadonlyMap<string, string>;
  /** Where a part of the document was written, for problems that are found later. */
  placeOf(path: Path): Place;
}

/** Reads a scenario's text, YAML or JSON. Throws a `UserError` with every problem and its place. */
export function parseScenario(text: string, file: string, options: ParseOptions): LoadedScenario {
  return readScenario(yamlSource(text, file), options);
}

/** Checks a document and makes a scenario of it. Throws a `UserError` with every problem and its place. */
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
    const found = { message, place: place(finding.path, finding.at) };
    problems.push({
      ...found,
      hint,
      code,
    });
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

  // These look at each part by itself, so that a mistake in one does not hide those of the others.
  const base = dirname(resolve(source.file));
  const read = namedFiles({
    folder: base,
    allowed: options.allowFiles ?? [],
    isUsersOwn: (path) => source.fromFlags === true || overrideOf(path, applied) !== undefined,
  });
  const { readText } = options;
  const prompts = readPrompts(
    value,
    readText === undefined ? read : ({ file }) => Buffer.from(readText(resolve(base, file))),
  );
  prompts.findings.filter(known).forEach(add);
  const keys = targetKeys(value, options.env);
  keys.findings.forEach(add);
  const authorities = readAuthorities(value, read);
  authorities.findings.filter(known).forEach(add);
  options.checkGates?.(value).filter(known).forEach(add);
  const bodies = readBodies(value, read);
  [...bodies.findings, ...placeholderFindings(value, bodies.texts)].filter(known).forEach(add);
  const scenario = result.success ? complete(result.data, keys.defaults, bodies.texts) : undefined;
  if (scenario !== undefined) templateFindings(scenario).forEach(add);

  if (problems.length > 0 || !result.success || scenario === undefined)
    throw invalid(problems, documentSecrets(document, resolved.uses));
  const masked = maskDocument(document);
  return {
    scenario,
    document: masked,
    hash: hashDocument(withBodyTexts(masked, bodies.texts), prompts.texts),
    secrets: collectSecrets(result.data, resolved.uses, keys.defaults),
    file: source.file,
    promptTexts: prompts.texts,
    authorities: authorities.texts,
    placeOf: (path) => place(path, 'value'),
  };
}

type Checked = { result: ReturnType<typeof scenarioSchema.safeParse>; value: unknown };

// A reference that was read as a number or a boolean where text is wanted (a key of digits only) is text after all.
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

/** With the keys that targets have by default, and the bodies that they keep in files. */
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

// One code says what to do when all problems are of one kind; otherwise the scenario as a whole is not valid.
function invalid(problems: readonly PlacedProblem[], secrets: readonly Secret[]): UserError {
  const redactor = createRedactor(secrets);
  const [first] = problems;
  const code = first?.code;
  const same = code !== undefined && problems.every((problem) => problem.code === code);
  const ordered = [...problems].sort(inOrder).map(
    ({ message, hint, place }): Problem => ({
      message: redactor.message(message),
      ...(hint === undefined ? {} : { hint: redactor.message(hint) }),
      place,
    }),
  );
  return new UserError(same ? code : 'scenario_invalid', ordered);
}

function inOrder({ place: a }: Problem, { place: b }: Problem): number {
  const last = Number.MAX_SAFE_INTEGER;
  return (a?.line ?? last) - (b?.line ?? last) || (a?.column ?? last) - (b?.column ?? last);
}
