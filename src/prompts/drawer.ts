import { hashText, keyedRandom, type RandomQuantity, randomInt, sample } from '../model/keyed-random.ts';
import type {
  CachePlan,
  Dataset,
  DatasetOrder,
  DrawnTurn,
  MixPart,
  Prompt,
  SessionTurn,
  SharedPrefix,
  SyntheticSource,
  Variable,
} from '../model/prompt.ts';
import type { ChatRequest, Message } from '../model/request.ts';
import { createRandom, shuffledIndexes } from '../model/seeded-random.ts';
import { splitConversation } from './conversation.ts';
import { openDataset } from './dataset-reader.ts';
import { isInShare, weightedParts } from './share-schedule.ts';
import { keyWords, nonceWords, syntheticText } from './synthetic-text.ts';
import { filledTemplate } from './template-variables.ts';
import { traceText } from './trace/trace-text.ts';

/** Which prompt of a cell is drawn. */
export interface DrawRequest {
  /** The number of the request in its cell, from 0. Equal numbers draw equal prompts, in every cell of the prompt. */
  number: number;
  /** A warm-up request, which has numbers of its own. */
  warmup: boolean;
  /** The nonce of the request; absent if its prompt need not be unique. */
  nonce?: string;
  /** Draws a nonce for a text that was never sent, also where the prompt need not be unique. */
  freshNonce(): string;
}

/** The drawn parts of a request. */
export interface DrawnPrompt
  extends Pick<
    ChatRequest,
    'messages' | 'maxTokens' | 'tools' | 'answerSchema' | 'extra' | 'prefix' | 'hasNonce'
  > {
  /** Of a session: the turns after the first. */
  turns?: readonly DrawnTurn[];
  /** What was drawn, for the record. Absent for a prompt that is always the same. */
  promptId?: string;
  cachePlan?: CachePlan;
}

/** Draws the prompts of requests. */
export interface PromptDrawer {
  draw(request: DrawRequest): DrawnPrompt;
  close(): void;
}

/** What draws depend on beside their number. */
export interface DrawSeed {
  seed: number;
  /** Different in every run, so that no run repeats the generated texts of another. */
  salt: string;
}

/** A source's part of a drawn prompt. */
type Draw = (request: DrawRequest) => Omit<DrawnPrompt, 'prefix' | 'cachePlan' | 'turns'> & {
  turns?: readonly SessionTurn[];
};

/** Opens a prompt's source. Throws if a dataset was changed since it was checked. */
export function createDrawer(prompt: Prompt, { seed, salt }: DrawSeed): PromptDrawer {
  const opened: { close(): void }[] = [];
  const key = `${seed} ${prompt.name}`;
  const draw = inSession(prompt, key, sourceOf(prompt, key, salt, opened));
  const prefix =
    prompt.sharedPrefix && prefixOf(prompt.sharedPrefix, prompt.unique ? `${key} ${salt}` : key, key);
  return {
    draw: prefix === undefined ? draw : (request) => prefix(draw(request), request),
    close() {
      for (const one of opened) one.close();
    },
  };
}

function sourceOf(prompt: Prompt, key: string, salt: string, opened: { close(): void }[]): Draw {
  const { source, messages, maxTokens, tools, answerSchema, extra } = prompt;
  const same = { messages, maxTokens, tools, answerSchema, extra };
  switch (source?.kind) {
    case undefined:
      return () => same;
    case 'dataset': {
      const reader = openDataset(source);
      opened.push(reader);
      const place = datasetOrder(source, source.order, key);
      return (request) => {
        const entry = reader.entry(place(request));
        return {
          ...same,
          ...(source.conversations ? splitFirst(entry.messages, source.system) : undefined),
          ...(source.conversations ? undefined : { messages: withSystem(entry.messages, source.system) }),
          maxTokens: entry.maxTokens ?? maxTokens,
          promptId: shortId(entry.id),
        };
      };
    }
    case 'template': {
      const filled = filledTemplate(messages);
      const filledTurns = (prompt.session?.turns ?? []).map((turn) => filledTemplate(turn.messages ?? []));
      return (request) => {
        const values = drawVariables(source.variables, drawKey(key, request));
        const id = [...values].map(([name, value]) => `${name}=${value}`).join(', ');
        const turns = prompt.session?.turns?.map((turn, index) =>
          turn.messages === undefined ? turn : { ...turn, messages: filledTurns[index]?.(values) },
        );
        return { ...same, messages: filled(values), turns, promptId: shortId(id) };
      };
    }
    case 'synthetic':
      return (request) => ({ ...same, ...drawSynthetic(source, same, drawKey(key, request), request.nonce) });
    case 'trace': {
      const { trace, wordsPerToken } = source;
      // No run repeats the texts of another, unless its prompts need not be unique.
      const options = { wordsPerToken, key: prompt.unique ? `${key} ${salt}` : key };
      return ({ number, warmup, nonce }) => {
        // The warm-up must not put the blocks of the trace into the server's cache.
        const at = number % trace.atMs.length;
        const lengths = warmup ? { inputTokens: trace.inputTokens } : trace;
        const content = traceText(lengths, at, options, nonce);
        return {
          ...same,
          messages: [...messages.slice(0, -1), { ...messages.at(-1), role: 'user', content }],
          maxTokens: trace.outputTokens[at] || maxTokens,
          promptId: `${trace.file} ${at + 1}`,
          hasNonce: true,
        };
      };
    }
    case 'mix':
      return drawMix(source.parts, key, salt, opened);
    default:
      return source satisfies never;
  }
}

// The turns of a session: those that were drawn, else those of the scenario, each with its time to wait.
function inSession({ session }: Prompt, key: string, draw: Draw): (request: DrawRequest) => DrawnPrompt {
  if (session === undefined) return (request) => ({ ...draw(request), turns: undefined });
  const { turns: written = [], maxTurns = Number.POSITIVE_INFINITY, think } = session;
  return (request) => {
    const { turns = written, ...drawn } = draw(request);
    const random = keyedRandom(`${drawKey(key, request)} think`);
    const sent = turns.slice(0, maxTurns - 1).map(({ messages, toolResults, think: own = think }) => ({
      messages,
      toolResults,
      thinkMs: own === undefined ? 0 : sample(own, random),
    }));
    return { ...drawn, turns: sent };
  };
}

function splitFirst(messages: readonly Message[], system: string | undefined) {
  const { opening, turns } = splitConversation(messages);
  return { messages: withSystem(opening, system), turns };
}

/** Characters of a prompt's id in a record. */
const MAX_ID_CHARS = 100;

function shortId(id: string): string {
  return id.length <= MAX_ID_CHARS ? id : `${id.slice(0, MAX_ID_CHARS - 1)}…`;
}

function drawKey(key: string, { number, warmup }: DrawRequest): string {
  return `${key} ${warmup ? 'w' : ''}${number}`;
}

function withSystem(messages: readonly Message[], system: string | undefined): readonly Message[] {
  if (system === undefined || messages.some(({ role }) => role === 'system')) return messages;
  return [{ role: 'system', content: system }, ...messages];
}

// Without replacement: every entry is drawn once before one is drawn again. Warm-up requests take the last entries of the first pass.
function datasetOrder({ count }: Dataset, order: DatasetOrder, key: string) {
  let passes: { pass: number; order: Uint32Array } | undefined;
  return ({ number, warmup }: DrawRequest): number => {
    const pass = warmup ? 0 : Math.floor(number / count);
    const at = warmup ? count - 1 - (number % count) : number % count;
    if (order === 'sequential') return at;
    if (passes?.pass !== pass) {
      passes = { pass, order: shuffledIndexes(count, createRandom(hashText(`${key} ${pass}`))) };
    }
    // `!`: below the number of entries.
    return passes.order[at]!;
  };
}

function drawVariables(variables: readonly Variable[], key: string): ReadonlyMap<string, string> {
  const random = keyedRandom(key);
  return new Map(
    variables.map((variable): [string, string] => {
      switch (variable.kind) {
        case 'list':
          return [variable.name, variable.values[randomInt(random, variable.values.length)] ?? ''];
        case 'range':
          return [variable.name, String(variable.from + randomInt(random, variable.to - variable.from + 1))];
        default:
          return variable satisfies never;
      }
    }),
  );
}

// The nonce is the first words of the text, which has the drawn length with it.
function drawSynthetic(
  { input, output, wordsPerToken }: SyntheticSource,
  { messages, maxTokens }: Pick<Prompt, 'messages' | 'maxTokens'>,
  key: string,
  nonce: string | undefined,
): Pick<DrawnPrompt, 'messages' | 'maxTokens' | 'promptId' | 'hasNonce'> {
  const random = keyedRandom(key);
  const inputTokens = drawTokens(input, random);
  const outputTokens = output === undefined ? maxTokens : drawTokens(output, random);
  const opening = nonce === undefined ? [] : nonceWords(nonce);
  const content = syntheticText(Math.round(inputTokens * wordsPerToken), opening, randomInt(random, 2 ** 15));
  const answer = outputTokens === undefined ? '' : `, output ${outputTokens}`;
  return {
    // The last message is the generated one; a system message may be before it.
    messages: [...messages.slice(0, -1), { ...messages.at(-1), role: 'user', content }],
    maxTokens: outputTokens,
    promptId: `input ${inputTokens}${answer}`,
    hasNonce: true,
  };
}

function drawTokens(quantity: RandomQuantity, random: () => number): number {
  return Math.max(1, Math.round(sample(quantity, random)));
}

function drawMix(parts: readonly MixPart[], key: string, salt: string, opened: { close(): void }[]): Draw {
  const draws = parts.map(({ prompt }) => ({
    name: prompt.name,
    draw: sourceOf(prompt, `${key} ${prompt.name}`, salt, opened),
  }));
  const weights = parts.map(({ weight }) => weight);
  const pickOf = weightedParts(weights, key);
  const warmupPickOf = weightedParts(weights, `${key} warmup`);
  return (request) => {
    const { part, number } = (request.warmup ? warmupPickOf : pickOf)(request.number);
    // `!`: a part of the mix.
    const { name, draw } = draws[part]!;
    const drawn = draw({ ...request, number });
    return { ...drawn, promptId: drawn.promptId === undefined ? name : shortId(`${name}/${drawn.promptId}`) };
  };
}

// A miss differs from its first word on: a cache of prefixes compares from the beginning.
function prefixOf(
  { tokens, wordsPerToken, inSystem, hitShare }: SharedPrefix,
  textKey: string,
  shareKey: string,
) {
  const words = Math.round(tokens * wordsPerToken);
  const at = hashText(textKey);
  const shared = syntheticText(words, keyWords(textKey), at);
  return (drawn: DrawnPrompt, { number, warmup, freshNonce }: DrawRequest): DrawnPrompt => {
    // The warm-up puts the prefix into the cache.
    const hit = warmup || isInShare(number, hitShare, shareKey);
    return {
      ...drawn,
      messages: inSystem ? withSystem(drawn.messages, '') : drawn.messages,
      prefix: hit ? shared : syntheticText(words, nonceWords(freshNonce()), at),
      cachePlan: hit ? 'hit' : 'miss',
    };
  };
}
