import { suggest } from '../model/suggestions.ts';
import { variableNames } from '../prompts/template-variables.ts';
import { dialectsAccepting } from '../wire/dialects/index.ts';
import { REQUEST_FEATURES, type RequestFeature } from '../wire/request-parts.ts';
import { PLACEHOLDERS } from '../wire/template.ts';
import { datasetKey } from './datasets.ts';
import type { Finding } from './problems.ts';
import { promptPaths } from './prompt-files.ts';
import type { PromptInputs } from './prompts.ts';
import { dialectOf } from './schema/endpoint.ts';
import type { ScenarioMixPart } from './schema/prompt.ts';
import type { Scenario, ScenarioPrompt } from './schema/scenario.ts';
import type { ScenarioTurn } from './schema/session.ts';
import type { ScenarioTarget } from './schema/target.ts';
import { sendsPrompt } from './unique.ts';
import { type Path, valueAt } from './value-paths.ts';

/** Checks of prompts whose parts are valid: variables, and what the targets can express. */

type Content = Omit<ScenarioMixPart, 'weight'> & Pick<ScenarioPrompt, 'turns' | 'session'>;

/** The problems of prompts. `texts` holds the contents of prompt files. */
export function promptFindings(
  scenario: Scenario,
  { texts, datasets }: Pick<PromptInputs, 'texts' | 'datasets'>,
): Finding[] {
  const hasResults = ({ dataset, session }: Content) =>
    dataset !== undefined &&
    datasets.get(datasetKey(dataset, session !== undefined))?.dataset.hasToolResults === true;
  const findings = promptPaths(scenario).flatMap((path) => {
    const content = valueAt(scenario, path) as Content;
    return [
      ...variableFindings(content, path, texts),
      ...featureFindings(scenario.targets, content, path, hasResults(content)),
    ];
  });
  return [...findings, ...drawFindings(scenario)];
}

function variableFindings(content: Content, path: Path, texts: ReadonlyMap<string, string>): Finding[] {
  const { variables, text, file, messages = [], turns = [], system = '' } = content;
  if (variables === undefined) return [];
  const written = [
    text ?? texts.get(file ?? '') ?? '',
    system,
    ...messages.map((message) => message.content),
    ...turns.map(turnText),
  ];
  const used = new Set(written.flatMap(variableNames));
  const defined = Object.keys(variables);
  const findings: Finding[] = [];
  for (const name of defined) {
    const at = { path: [...path, 'variables', name], at: 'key' as const };
    if ((PLACEHOLDERS as readonly string[]).includes(name)) {
      const message = `a variable cannot have the name ${name}, which is a placeholder of request bodies`;
      findings.push({ ...at, message, hint: `rename it in variables and in the prompt, such as my_${name}` });
    } else if (!used.has(name)) {
      findings.push({
        ...at,
        message: `no text of the prompt contains {{${name}}}`,
        hint: `write {{${name}}}, or remove the variable`,
      });
    }
  }
  for (const name of used) {
    if (defined.includes(name)) continue;
    findings.push({
      path,
      at: 'key',
      message: `the prompt contains {{${name}}}, but has no such variable`,
      hint: suggest(name, defined),
    });
  }
  return findings;
}

function turnText(turn: ScenarioTurn): string {
  if (typeof turn === 'string') return turn;
  return 'user' in turn ? turn.user : '';
}

const FEATURE_WORDS: Readonly<Record<RequestFeature, string>> = {
  image: 'images',
  audio: 'audio',
  tools: 'tools',
  toolResults: 'results of tool calls',
  schema: 'JSON Schema for its answers',
};

function featureFindings(
  targets: readonly ScenarioTarget[],
  content: Content,
  path: Path,
  resultsInDataset: boolean,
): Finding[] {
  const { messages = [], turns = [], images, audio, tools, jsonSchema } = content;
  const within = (key: 'images' | 'audio') => {
    const index = messages.findIndex((message) => message[key] !== undefined);
    return index === -1 ? key : (['messages', index, key] as const);
  };
  const toolTurn = turns.findIndex((turn) => typeof turn !== 'string' && 'tool' in turn);
  const needs: Readonly<Record<RequestFeature, Path | undefined>> = {
    image: images || messages.some((message) => message.images) ? [within('images')].flat() : undefined,
    audio: audio || messages.some((message) => message.audio) ? [within('audio')].flat() : undefined,
    tools: tools && ['tools'],
    toolResults: toolTurn === -1 ? (resultsInDataset ? ['dataset'] : undefined) : ['turns', toolTurn],
    schema: jsonSchema && ['jsonSchema'],
  };
  return REQUEST_FEATURES.flatMap((feature) => {
    const key = needs[feature];
    if (key === undefined) return [];
    const refusing = targets.flatMap((target) => refusal(target, feature) ?? []);
    return refusing.map((found): Finding => ({ path: [...path, ...key], at: 'key', ...found }));
  });
}

/** Why a target's requests cannot contain something. */
function refusal(
  target: ScenarioTarget,
  feature: RequestFeature,
): Pick<Finding, 'message' | 'hint'> | undefined {
  const { name, service, body } = target;
  const what = FEATURE_WORDS[feature];
  const named = `target ${JSON.stringify(name)}`;
  if (service !== undefined) {
    return {
      message: `the reference service (${named}) accepts no ${what}`,
      hint: 'measure this prompt with other targets',
    };
  }
  const dialect = dialectOf(target);
  const able = dialectsAccepting(feature);
  if (!able.includes(dialect)) {
    return {
      message: `the dialect ${dialect} of ${named} accepts no ${what}`,
      hint: `dialects that do: ${able.join(', ')}`,
    };
  }
  if (body === undefined) return undefined;
  return {
    message: `the body of ${named} replaces the dialect's, which would contain the ${what}`,
    hint: `remove the body, or write the ${what} into it and remove them from the prompt`,
  };
}

function drawFindings({ prompts, targets, load }: Scenario): Finding[] {
  return prompts.flatMap((prompt, index): Finding[] => {
    const { dataset, synthetic, variables, mix, sharedPrefix, cacheHits = 1 } = prompt;
    const key = Object.entries({ dataset, synthetic, variables, mix, sharedPrefix }).find(
      ([, value]) => value !== undefined,
    )?.[0];
    if (key === undefined) return [];
    const at = { path: ['prompts', index, key], at: 'key' as const };
    const findings = targets
      .filter((target) => !sendsPrompt(target))
      .map(({ name }) => ({
        ...at,
        message: `target ${JSON.stringify(name)} sends nothing of the prompt, so ${key} has no effect`,
        hint: 'put {{prompt}} or {{messages}} in its body or query',
      }));
    if (sharedPrefix === undefined || cacheHits === 0 || load.warmup > 0) return findings;
    return [
      ...findings,
      {
        path: ['prompts', index, 'sharedPrefix'],
        at: 'key',
        message: 'sharedPrefix needs a warm-up request, which puts the prefix into the cache',
        hint: 'set load.warmup to at least 1',
      },
    ];
  });
}
