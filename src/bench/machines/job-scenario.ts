import { readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { type Problem, UserError } from '../../model/errors.ts';
import { MASK } from '../../scenario/document.ts';
import { type Env, type UsedVariable, usedVariables } from '../../scenario/env.ts';
import { type LoadedScenario, loadScenario } from '../../scenario/load.ts';
import { planScenario, unstarted, usesSimulator } from '../../scenario/plan.ts';
import { shardPlan } from '../../scenario/shard-plan.ts';
import { keyVariables } from '../../scenario/targets.ts';
import { formatPath, mapScalars, type Path, valueAt } from '../../scenario/value-paths.ts';
import { PROVIDERS } from '../../wire/providers.ts';
import { gateFindings } from '../run/gates.ts';

/** What the job of a scenario needs on other machines. */
export interface JobScenario {
  loaded: LoadedScenario;
  /** The name of its file, without a folder. */
  file: string;
  /** Its text, as written. */
  text: string;
  /** Names of variables that its targets need. Their values are never in a job. */
  variables: readonly UsedVariable[];
  /** One sentence for each thing that may surprise. */
  warnings: readonly string[];
}

/**
 * Reads and checks a scenario for a job of so many shards. Variables that are not set here get a placeholder: they are set where
 * the job runs. Throws a `UserError` for an invalid scenario, or one that cannot be split.
 */
export function loadJobScenario(path: string, shards: number, env: Env): JobScenario {
  const loaded = loadScenario(path, { env: withPlaceholders(path, env), checkGates: gateFindings });
  const { scenario, document } = loaded;
  shardPlan(planScenario(loaded, unstarted(scenario)), { number: 1, of: shards }, loaded);
  const variables = new Map<string, UsedVariable>();
  for (const variable of [...usedVariables(document), ...scenario.targets.flatMap(keysOf(document))]) {
    const known = variables.get(variable.name);
    variables.set(variable.name, known?.isRequired ? known : variable);
  }
  return {
    loaded,
    file: basename(path),
    text: readFileSync(path, 'utf8'),
    variables: [...variables.values()],
    warnings: usesSimulator(scenario)
      ? ['each shard starts a simulator of its own: the shards do not share a server']
      : [],
  };
}

type JobTarget = LoadedScenario['scenario']['targets'][number];

/** The variables of the keys that the document does not have. The loaded targets have all keys. */
function keysOf(document: unknown): (target: JobTarget, index: number) => UsedVariable[] {
  return (target, index) => {
    const keyAt = (path: Path) => valueAt(document, ['targets', index, ...path]) as string | undefined;
    const { service } = target;
    if (service === undefined) return keyVariables({ ...target, apiKey: keyAt(['apiKey']) });
    const upstream = { ...service.upstream, apiKey: keyAt(['service', 'upstream', 'apiKey']) };
    return keyVariables({ ...target, service: { ...service, upstream } });
  };
}

function withPlaceholders(path: string, env: Env): Env {
  const placeholder = 'set-where-the-job-runs';
  const keys = PROVIDERS.flatMap(({ keyVariable }) => keyVariable ?? []);
  const names = new Set([...keys, 'AWS_SECRET_ACCESS_KEY', ...namesIn(path)]);
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return { ...Object.fromEntries([...names].map((name) => [name, placeholder])), ...Object.fromEntries(set) };
}

function namesIn(path: string): string[] {
  try {
    // Those with a default keep it.
    return usedVariables(readFileSync(path, 'utf8'))
      .filter(({ isRequired }) => isRequired)
      .map(({ name }) => name);
  } catch {
    return []; // The scenario's own reading reports it.
  }
}

/** A scenario's file in a job. */
export interface JobFile {
  /** Relative to the scenario's file, with forward slashes. */
  path: string;
  bytes: Buffer;
}

/**
 * The scenario's file and those that it refers to. Throws a `UserError` for a literal secret, and for a file outside the
 * scenario's folder.
 */
export function jobFiles({ loaded, file, text }: JobScenario): JobFile[] {
  rejectSecrets(loaded);
  const folder = dirname(loaded.file);
  const problems: Problem[] = [];
  const files: JobFile[] = [{ path: file, bytes: Buffer.from(text) }];
  for (const named of loaded.files) {
    const path = normalize(named);
    if (isAbsolute(path) || path.startsWith('..')) {
      problems.push({
        message: `the job cannot contain ${named}: it is not in the scenario's folder`,
        place: { file: loaded.file },
        hint: 'copy it into the folder, and name it relative to the scenario',
      });
    } else files.push({ path: path.split(sep).join('/'), bytes: readFileSync(join(folder, path)) });
  }
  if (problems.length > 0) throw new UserError('scenario_invalid', problems);
  return files;
}

/** A job is read by more people than a secret is for. */
function rejectSecrets({ document, placeOf }: LoadedScenario): void {
  const problems: Problem[] = [];
  mapScalars(document, (value, path) => {
    if (typeof value === 'string' && value.includes(MASK)) {
      problems.push({
        message: `${formatPath(path)} is a literal secret, which the job would show`,
        place: placeOf(path),
        hint: `use \${env:NAME}, and set NAME where the job runs`,
      });
    }
    return value;
  });
  if (problems.length > 0) throw new UserError('scenario_invalid', problems);
}
