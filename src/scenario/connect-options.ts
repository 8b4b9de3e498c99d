import { dirname, resolve } from 'node:path';
import type { ConnectOptions } from '../model/plan.ts';
import type { LoadedScenario } from './parse.ts';
import type { ScenarioTarget } from './schema/target.ts';

/** How connections to each target are made, in the order of the targets; undefined where all is at its default. */
export function connectOptions({
  scenario,
  file,
  authorities,
}: LoadedScenario): (ConnectOptions | undefined)[] {
  const folder = dirname(resolve(file));
  const { targets, connection } = scenario;
  return targets.map((target) =>
    present({
      ...pick(target),
      connection: connection === 'warm' ? undefined : connection,
      ip: target.ip === 'auto' ? undefined : target.ip,
      unix: target.unix === undefined ? undefined : resolve(folder, target.unix),
      ca: target.ca === undefined ? undefined : authorities.get(target.ca),
    }),
  );
}

function pick({ http, streamsPerSession, insecure, proxy, dns, resolve: pins }: ScenarioTarget) {
  return { http, streamsPerSession, insecure, proxy, dns, resolve: pins };
}

function present(options: { [K in keyof ConnectOptions]: ConnectOptions[K] | undefined }) {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined && value !== false);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as ConnectOptions);
}
