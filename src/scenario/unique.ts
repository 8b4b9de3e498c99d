import type { SameRequests } from '../model/plan.ts';
import type { Prompt } from '../model/prompt.ts';
import { type ChatRequest, withNonce } from '../model/request.ts';
import { SHARED_BLOCKS } from '../model/trace.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { bodyTemplate, queryTemplate } from '../wire/template.ts';
import { dialectOf } from './schema/endpoint.ts';
import type { Scenario } from './schema/scenario.ts';
import type { ScenarioTarget } from './schema/target.ts';

/** Whether the requests of a prompt to a target can differ. */

const MARK = 'streambench0mark';

/** Whether a target's requests contain the text of the prompt. */
export function sendsPrompt(target: ScenarioTarget): boolean {
  return holdsMark(target, { messages: [{ role: 'user', content: MARK }], stream: true });
}

/** The targets and prompts with identical requests, and the reason. `prompts` are the scenario's, resolved. */
export function sameRequests(scenario: Scenario, prompts: readonly Prompt[]): SameRequests[] {
  return scenario.targets.flatMap((target) =>
    prompts.flatMap((prompt): SameRequests[] => {
      const pair = { target: target.name, prompt: prompt.name };
      if (!prompt.unique)
        return [{ ...pair, why: 'unique: false', asked: true, drawn: prompt.source && true }];
      if (prompt.source?.kind === 'trace' && prompt.source.trace.blocks !== undefined)
        return [{ ...pair, why: SHARED_BLOCKS, asked: true, drawn: true }];
      const messages = withNonce(prompt.messages, MARK);
      if (holdsMark(target, { messages, nonce: MARK, stream: true })) return [];
      return [{ ...pair, why: whySame(target), asked: false }];
    }),
  );
}

function whySame({ method, body }: ScenarioTarget): string {
  if (method === 'GET') return 'a GET whose URL has no {{prompt}} or {{nonce}} in its query';
  return body === undefined
    ? 'extra replaces the prompt'
    : 'the body has no {{prompt}}, {{messages}} or {{nonce}}';
}

/** Builds the request and searches it, because `extra` may replace the prompt. */
function holdsMark(target: ScenarioTarget, chat: ChatRequest): boolean {
  // The endpoints of the reference service always send the prompt.
  if (target.service !== undefined) return true;
  const { url = '', body, method, model, extra } = target;
  const query = queryTemplate(url).fill(chat);
  if (method === 'GET') return query.includes(MARK);
  if (body !== undefined) return `${query}${bodyTemplate(body).fill(chat)}`.includes(MARK);
  const dialect = getDialect(dialectOf(target));
  return `${query}${dialect.request({ ...chat, model, extra }).body}`.includes(MARK);
}
