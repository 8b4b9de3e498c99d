import type { SameRequests } from '../model/plan.ts';
import { usedPlaceholders } from '../wire/template.ts';
import type { Scenario } from './schema.ts';

/** Where the requests of a prompt differ from each other, so that no server answers them from a cache of prefixes. */

/** Whether a prompt's requests get a nonce each. */
export function isUnique(scenario: Pick<Scenario, 'unique'>, prompt: Scenario['prompts'][number]): boolean {
  return prompt.unique ?? scenario.unique;
}

/** The targets and prompts whose requests are the same bytes each time, and why. */
export function sameRequests(scenario: Scenario): SameRequests[] {
  const { targets, prompts } = scenario;
  return targets.flatMap((target) => {
    const used = usedPlaceholders(target);
    const differs = used.has('nonce') || used.has('prompt') || used.has('messages');
    return prompts.flatMap((prompt): SameRequests[] => {
      const pair = { target: target.name, prompt: prompt.name };
      if (!isUnique(scenario, prompt)) return [{ ...pair, why: 'unique: false', asked: true }];
      if (differs) return [];
      const why =
        target.method === 'GET'
          ? 'a GET whose URL has no {{prompt}} or {{nonce}} in its query'
          : 'the body has no {{prompt}} or {{nonce}}';
      return [{ ...pair, why, asked: false }];
    });
  });
}
