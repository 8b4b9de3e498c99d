import { parseCheck } from '../../analysis/regression/checks.ts';
import { parseSlo, type Slo } from '../../analysis/sweep/slo.ts';
import {
  checkObjectives,
  modesOfObjectives,
  parseObjective,
} from '../../analysis/thresholds/objective-parser.ts';
import { parseThreshold } from '../../analysis/thresholds/threshold-parser.ts';
import { checkThresholds, type ThresholdScope } from '../../analysis/thresholds/thresholds.ts';
import type { Objective } from '../../metrics/objective-check.ts';
import { type Problem, UserError } from '../../model/errors.ts';
import type { Mode } from '../../model/record.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import type { Finding } from '../../scenario/problems.ts';
import { loadSchema } from '../../scenario/schema/load.ts';

/**
 * Checks a scenario's objectives and thresholds before anything is sent: their grammar, and that their metrics and labels exist.
 * Throws one `UserError` (`scenario_invalid`) with every problem and its place in the file.
 */
export function checkGates({ scenario, placeOf }: LoadedScenario): void {
  const { targets, prompts, load, modes, thresholds, objectives, regressions } = scenario;
  const facts = { ...scopeOf(targets, prompts), levels: load.levels, modes, sweep: load.sweep?.by ?? null };
  const problems = findings({ thresholds, objectives, regressions, slo: load.sweep?.slo ?? [] }, facts).map(
    ({ path, message, hint }): Problem => ({ message, place: placeOf(path), hint }),
  );
  if (problems.length > 0) throw new UserError('scenario_invalid', problems);
}

/**
 * The findings of `checkGates` for a document that may be invalid elsewhere. Thresholds are not checked against invalid parts.
 */
export function gateFindings(document: unknown): Finding[] {
  const { targets, prompts, load, modes, ...rest } = (document ?? {}) as Record<string, unknown>;
  const lists = {
    thresholds: listOf(rest.thresholds),
    objectives: listOf(rest.objectives),
    slo: listOf((load as { sweep?: { slo?: unknown } } | null | undefined)?.sweep?.slo),
    // YAML reads `- ttft.p50: 10%` as a mapping with one key.
    regressions: listOf(rest.regressions).map((item) =>
      typeof item === 'object' && item !== null
        ? Object.entries(item)
            .map((pair) => pair.join(': '))
            .join()
        : item,
    ),
  };
  const levels = loadSchema.safeParse(load ?? {});
  return findings(lists, {
    ...scopeOf(targets, prompts),
    levels: levels.success ? levels.data.levels : undefined,
    sweep: levels.success ? (levels.data.sweep?.by ?? null) : undefined,
    modes: modes === undefined ? ['streaming'] : modesOf(modes),
  });
}

const SLO_PATH = ['load', 'sweep', 'slo'];

type Scope = Pick<ThresholdScope, 'targets' | 'prompts' | 'levels' | 'modes' | 'servers' | 'sweep'>;

/** The conditions of a scenario, as they are written. */
interface Conditions {
  thresholds: readonly unknown[];
  objectives: readonly unknown[];
  regressions: readonly unknown[];
  /** The objectives of a sweep. */
  slo: readonly unknown[];
}

function findings({ thresholds, objectives, regressions, slo }: Conditions, scope: Scope): Finding[] {
  const read: Objective[] = [];
  const found = checkEach('objective', objectives, (expression) => {
    const objective = parseObjective(expression);
    read.push(objective);
    return scope.modes === undefined ? [] : checkObjectives([objective], scope.modes);
  });
  // Only valid ones: invalid objectives are reported already and have no modes.
  const objectiveModes = objectives.length === 0 ? [] : modesOfObjectives(read);
  return [
    ...found,
    ...checkEach('threshold', thresholds, (expression) =>
      checkThresholds([parseThreshold(expression)], { ...scope, objectiveModes }),
    ),
    ...sloFindings(slo, { ...scope, objectiveModes }),
    ...checkEach('regression', regressions, (expression) => {
      const { figure, kind } = parseCheck(expression);
      if (objectives.length > 0 || (kind !== 'goodput' && kind !== 'goodput-rate')) return [];
      const hint = 'state what a good request is: --objective "ttft < 500ms"';
      return [{ message: `"${figure}" needs objectives; this run states none`, hint }];
    }),
    ...repeated(regressions),
  ];
}

/** Checks the objectives of a sweep: each by itself, and that every mode has one. */
function sloFindings(slo: readonly unknown[], scope: ThresholdScope): Finding[] {
  const read: Slo[] = [];
  const found = checkEach('slo', slo, (expression) => {
    const one = parseSlo(expression);
    read.push(one);
    return checkThresholds([one.threshold], { ...scope, sweep: undefined });
  });
  if (found.length > 0) return found;
  const idle = (scope.modes ?? []).filter(
    (mode) => read.length > 0 && !read.some(({ threshold }) => threshold.quantity.modes.includes(mode)),
  );
  return idle.map((mode) => ({
    path: SLO_PATH,
    at: 'value',
    message: `no objective of the sweep is measured in mode ${mode}`,
    hint: `add one such as "total.p95 < 5s", or remove the mode`,
  }));
}

/** Figures that are listed twice: with which tolerance would be a guess. */
function repeated(expressions: readonly unknown[]): Finding[] {
  const figures = expressions.map((one) => (typeof one === 'string' ? one.split(':')[0]?.trim() : undefined));
  return figures.flatMap((figure, index): Finding[] =>
    figure === undefined || figures.indexOf(figure) === index
      ? []
      : [
          {
            path: ['regressions', index],
            at: 'value',
            message: `regression "${figure}" is listed twice`,
            hint: 'list each figure once',
          },
        ],
  );
}

function checkEach(
  kind: 'objective' | 'threshold' | 'regression' | 'slo',
  expressions: readonly unknown[],
  check: (expression: string) => readonly Problem[],
): Finding[] {
  return expressions.flatMap((expression, index) => {
    // The schema reports anything but text.
    if (typeof expression !== 'string' || expression === '') return [];
    return problemsOf(() => check(expression)).map(({ message, place, hint }): Finding => {
      const column = place?.column === undefined ? '' : ` at column ${place.column}`;
      const path = kind === 'slo' ? [...SLO_PATH, index] : [`${kind}s`, index];
      return { path, at: 'value', message: `${kind} "${expression}"${column}: ${message}`, hint };
    });
  });
}

/** The problems that a check returns or throws. */
function problemsOf(check: () => readonly Problem[]): readonly Problem[] {
  try {
    return check();
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
}

function scopeOf(targets: unknown, prompts: unknown): Pick<Scope, 'targets' | 'prompts' | 'servers'> {
  const names = namesOf(targets);
  const servers = listOf(targets).filter((target) => {
    const { service, metricsUrl } = (target ?? {}) as { service?: unknown; metricsUrl?: unknown };
    return service !== undefined || metricsUrl !== undefined;
  });
  return { targets: names, prompts: namesOf(prompts), servers: names && namesOf(servers) };
}

/** The names of a list's items; undefined where not all of them have one. */
function namesOf(items: unknown): string[] | undefined {
  const names = Array.isArray(items)
    ? items.map((item: unknown) => (item as { name?: unknown } | null)?.name)
    : [undefined];
  return names.every((name) => typeof name === 'string') ? names : undefined;
}

function modesOf(modes: unknown): Mode[] | undefined {
  const known = (mode: unknown): mode is Mode => mode === 'streaming' || mode === 'non-streaming';
  return Array.isArray(modes) && modes.every(known) ? modes : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
