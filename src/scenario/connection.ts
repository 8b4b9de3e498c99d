import { dirname, resolve } from 'node:path';
import { type ErrorCode, type Problem, UserError } from '../model/errors.ts';
import type { ConnectOptions } from '../model/plan.ts';
import { readAuthorities } from './authorities.ts';
import type { LoadedScenario } from './parse.ts';
import type { ScenarioTarget } from './target-schema.ts';

/**
 * How connections to each target are made, in the order of the targets; undefined where all is at its default. Reads the
 * files of authorities. Throws a `UserError` with every problem and its place.
 */
export function connectOptions(loaded: LoadedScenario): (ConnectOptions | undefined)[] {
  const problems: Problem[] = [];
  const folder = dirname(resolve(loaded.file));
  const { targets, connection } = loaded.scenario;
  const options = targets.map((target, index) => {
    const add = (key: string, problem: Problem) =>
      problems.push({ ...problem, place: loaded.placeOf(['targets', index, key]) });
    const ca = target.ca === undefined ? undefined : readAuthorities(resolve(folder, target.ca));
    if (typeof ca === 'object') add('ca', ca);
    return present({
      ...pick(target),
      connection: connection === 'warm' ? undefined : connection,
      ip: target.ip === 'auto' ? undefined : target.ip,
      unix: target.unix === undefined ? undefined : resolve(folder, target.unix),
      ca: typeof ca === 'string' ? ca : undefined,
    });
  });
  const code: ErrorCode = 'scenario_invalid';
  if (problems.length > 0) throw new UserError(code, problems);
  return options;
}

function pick({ http, streamsPerSession, insecure, proxy, dns, resolve: pins }: ScenarioTarget) {
  return { http, streamsPerSession, insecure, proxy, dns, resolve: pins };
}

function present(options: { [K in keyof ConnectOptions]: ConnectOptions[K] | undefined }) {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined && value !== false);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as ConnectOptions);
}
