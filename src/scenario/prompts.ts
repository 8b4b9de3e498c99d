import type { RandomQuantity } from '../model/keyed-random.ts';
import type { TokenizerName } from '../model/plan.ts';
import type { Prompt, PromptSource, SessionPlan, SessionTurn, Variable } from '../model/prompt.ts';
import { CHARS_PER_WORD } from '../model/prompt-info.ts';
import type { MediaPart, Message } from '../model/request.ts';
import { datasetKey, type ScenarioDatasets } from './datasets.ts';
import type { PromptFiles } from './prompt-files.ts';
import type { ScenarioMixPart } from './schema/prompt.ts';
import type { Scenario, ScenarioPrompt } from './schema/scenario.ts';
import type { ScenarioTurn } from './schema/session.ts';
import type { DurationDistribution } from './schema/simulator.ts';
import type { ScenarioTrace } from './traces.ts';

/** The prompts of a plan. */

/** The contents of the files that prompts refer to. */
export type PromptInputs = Pick<PromptFiles, 'texts' | 'media'> &
  Pick<ScenarioDatasets, 'datasets'> &
  Pick<ScenarioTrace, 'trace'>;

/** The usual estimate, where no tokenizer counts. */
const DEFAULT_CHARS_PER_TOKEN = 4;

/** Whether each request of a prompt gets its own nonce. */
function isUnique(scenario: Pick<Scenario, 'unique'>, prompt: Pick<ScenarioPrompt, 'unique'>): boolean {
  return prompt.unique ?? scenario.unique;
}

/** A prompt of the plan, with what its requests are drawn from. */
export function resolvePrompt(
  prompt: ScenarioPrompt,
  inputs: PromptInputs,
  scenario: Pick<Scenario, 'unique' | 'tokenizer'>,
): Prompt {
  const { mix, turns, session, sharedPrefix, cacheHits = 1, ...rest } = prompt;
  const first = turns === undefined ? rest : { ...rest, text: firstTurn(turns) };
  const content =
    mix === undefined
      ? contentOf(first, inputs, scenario, session !== undefined)
      : mixOf(mix, rest, inputs, scenario);
  const wordsPerToken = wordsFor(scenario);
  return {
    ...content,
    name: prompt.name,
    unique: isUnique(scenario, prompt),
    session: turns === undefined && session === undefined ? undefined : sessionOf(turns, session),
    sharedPrefix:
      sharedPrefix === undefined
        ? undefined
        : { tokens: sharedPrefix, wordsPerToken, inSystem: hasSystem(content), hitShare: cacheHits },
  };
}

/** True if some of a prompt's requests have a system message. */
function hasSystem({ messages, source }: Pick<Prompt, 'messages' | 'source'>): boolean {
  if (source?.kind === 'mix') return source.parts.some(({ prompt }) => hasSystem(prompt));
  if (source?.kind === 'dataset') return source.hasSystem || source.system !== undefined;
  return messages.some(({ role }) => role === 'system');
}

function firstTurn([first]: readonly ScenarioTurn[]): string {
  if (typeof first === 'string') return first;
  return first !== undefined && 'user' in first ? first.user : '';
}

function sessionOf(turns: ScenarioPrompt['turns'], session: ScenarioPrompt['session']): SessionPlan {
  const { think, maxTurns } = session ?? {};
  return {
    turns: turns?.slice(1).map((turn): SessionTurn => {
      const fields = typeof turn === 'string' ? { user: turn } : turn;
      const own = fields.think === undefined ? undefined : inMilliseconds(fields.think);
      if ('tool' in fields) return { toolResults: [fields.tool].flat(), think: own };
      return { messages: [{ role: 'user', content: fields.user }], think: own };
    }),
    maxTurns,
    think: think && inMilliseconds(think),
  };
}

function inMilliseconds({ meanMs, sdMs, minMs, maxMs, shape }: DurationDistribution): RandomQuantity {
  return { mean: meanMs, sd: sdMs, min: minMs, max: maxMs, shape };
}

type Content = Omit<ScenarioMixPart, 'weight'>;

// What the mix says applies to each of its prompts that does not say otherwise.
function mixOf(
  mix: readonly ScenarioMixPart[],
  shared: Pick<Content, 'maxTokens' | 'tools' | 'jsonSchema' | 'extra'>,
  inputs: PromptInputs,
  scenario: Pick<Scenario, 'tokenizer'>,
): Omit<Prompt, 'name'> {
  const { maxTokens, tools, jsonSchema, extra } = shared;
  const parts = mix.map(({ weight, ...part }, index) => ({
    weight,
    prompt: {
      ...contentOf(
        {
          ...part,
          maxTokens: part.maxTokens ?? maxTokens,
          tools: part.tools ?? tools,
          jsonSchema: part.jsonSchema ?? jsonSchema,
          extra: part.extra ?? extra,
        },
        inputs,
        scenario,
      ),
      name: part.name ?? String(index + 1),
    },
  }));
  return { messages: parts[0]?.prompt.messages ?? [], source: { kind: 'mix', parts } };
}

function contentOf(
  content: Content,
  inputs: PromptInputs,
  scenario: Pick<Scenario, 'tokenizer'>,
  conversations = false,
): Omit<Prompt, 'name'> {
  const { maxTokens, tools, jsonSchema, extra } = content;
  return {
    ...messagesOf(content, inputs, scenario, conversations),
    maxTokens,
    tools: tools?.map(({ name, description, parameters }) => ({
      name,
      description,
      parameters: parameters ?? { type: 'object', properties: {} },
    })),
    answerSchema: jsonSchema === undefined ? undefined : { name: 'answer', schema: jsonSchema },
    extra,
  };
}

function messagesOf(
  content: Content,
  inputs: PromptInputs,
  { tokenizer }: Pick<Scenario, 'tokenizer'>,
  conversations: boolean,
): { messages: readonly Message[]; source?: PromptSource } {
  const { system, synthetic, dataset, trace, variables } = content;
  if (dataset !== undefined) {
    const found = inputs.datasets.get(datasetKey(dataset, conversations));
    if (found === undefined) throw new Error(`the dataset ${dataset.path} was not read`);
    const source: PromptSource = { kind: 'dataset', ...found.dataset, system, order: dataset.order };
    return { messages: found.first.messages, source };
  }
  const media = mediaOf(content, inputs);
  if (trace !== undefined) {
    if (inputs.trace === undefined) throw new Error('the trace was not read');
    const source: PromptSource = {
      kind: 'trace',
      trace: inputs.trace,
      wordsPerToken: wordsFor({ tokenizer }),
    };
    return { messages: withSystem(system, [{ role: 'user', content: '', media }]), source };
  }
  if (synthetic !== undefined) {
    const { input, output, charsPerToken } = synthetic;
    const wordsPerToken = wordsFor({ tokenizer }, charsPerToken);
    const source: PromptSource = { kind: 'synthetic', input, output, wordsPerToken };
    return { messages: withSystem(system, [{ role: 'user', content: '', media }]), source };
  }
  const messages = withSystem(system, writtenMessages(content, inputs, media));
  if (variables === undefined) return { messages };
  return {
    messages,
    source: { kind: 'template', variables: variablesOf(variables, inputs.texts) },
  };
}

function withSystem(system: string | undefined, messages: readonly Message[]): readonly Message[] {
  return system === undefined ? messages : [{ role: 'system', content: system }, ...messages];
}

function writtenMessages(
  { text, file, messages }: Content,
  inputs: PromptInputs,
  media: readonly MediaPart[] | undefined,
): readonly Message[] {
  if (messages !== undefined) {
    return messages.map((message) => ({
      role: message.role,
      content: message.content,
      media: mediaOf(message, inputs),
    }));
  }
  const content = text ?? (file === undefined ? undefined : inputs.texts.get(file));
  if (content === undefined) throw new Error(`the prompt file ${file} was not read`);
  return [{ role: 'user', content, media }];
}

function mediaOf(
  { images = [], audio = [] }: Pick<Content, 'images' | 'audio'>,
  { media }: Pick<PromptInputs, 'media'>,
): readonly MediaPart[] | undefined {
  const parts = [...images, ...audio].flatMap((file) => media.get(file) ?? []);
  return parts.length === 0 ? undefined : parts;
}

function variablesOf(
  variables: NonNullable<Content['variables']>,
  texts: ReadonlyMap<string, string>,
): Variable[] {
  return Object.entries(variables).map(([name, values]): Variable => {
    if (Array.isArray(values)) return { name, kind: 'list', values };
    if ('from' in values) return { name, kind: 'range', from: values.from, to: values.to };
    return { name, kind: 'list', values: (texts.get(values.file) ?? '').split(/\r?\n/) };
  });
}

/** Words that are generated for a token: o200k has one for each, otherwise the characters decide. */
function wordsFor(
  { tokenizer }: { tokenizer: TokenizerName | 'none' },
  charsPerToken = DEFAULT_CHARS_PER_TOKEN,
): number {
  return tokenizer === 'none' ? charsPerToken / CHARS_PER_WORD : 1;
}
