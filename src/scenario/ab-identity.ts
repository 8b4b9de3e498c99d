import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../model/errors.ts';
import { maskUrl } from './document.ts';
import type { LoadedScenario } from './parse.ts';
import type { Scenario } from './schema/scenario.ts';
import type { ScenarioTarget } from './schema/target.ts';

/** What tells the sides of `ab` apart: everything that a target says except its name. */

/** Throws a `UserError` (`usage`) if both sides send the same requests to the same place: their difference is only noise. */
export function refuseSameSides({ scenario: { targets } }: LoadedScenario): void {
  const [a, b] = targets;
  if (a === undefined || b === undefined || !isDeepStrictEqual(requestsOf(a), requestsOf(b))) return;
  const where = a.url === undefined ? a.provider : maskUrl(a.url);
  throw new UserError('usage', {
    message: `A and B are the same: both are ${[where, a.model].filter(Boolean).join(' with model ')}`,
    hint: 'give two URLs, two models (URL#MODEL), or a flag for one side such as --header-b; for the noise of one build against itself, start it twice with --base-command and --new-command',
  });
}

function requestsOf({ name: _, url, ...rest }: ScenarioTarget): object {
  const place = url !== undefined && URL.canParse(url) ? new URL(url).href.replace(/\/+$/, '') : url;
  return { ...rest, url: place };
}

/**
 * Two servers are two builds, and a worse one fails the run. Two models of one server, or two providers, are a choice: neither is
 * the old one.
 */
export function isGatedByDefault(a: string, b: string, { targets }: Pick<Scenario, 'targets'>): boolean {
  const [origins, words] = [targets.map(originOf), [a, b]];
  if (words.every((word) => !/^(https?:|[\w.[\]:-]+:\d+)/.test(word))) return false;
  return origins[0] !== origins[1];
}

function originOf({ url }: ScenarioTarget): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;
}
