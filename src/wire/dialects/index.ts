import { UserError } from '../../model/errors.ts';
import { suggest } from '../../model/suggestions.ts';
import type { Dialect } from '../dialect.ts';
import { withThinkTags } from '../think-tags.ts';
import { agUi } from './ag-ui.ts';
import { agent } from './agent.ts';
import { aiSdkUi } from './ai-sdk-ui.ts';
import { anthropic } from './anthropic.ts';
import { bedrockConverse } from './bedrock.ts';
import { cohere } from './cohere.ts';
import { conversation } from './conversation.ts';
import { dify } from './dify.ts';
import { gemini, geminiArray } from './gemini.ts';
import { ollamaChat, ollamaGenerate } from './ollama.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiCompletions } from './openai-completions.ts';
import { openaiResponses } from './openai-responses.ts';
import { type PlainOptions, plain } from './plain.ts';
import { playground } from './playground.ts';
import { tgi } from './tgi.ts';

/** Settings that some dialects take; the others pay no heed to them. */
export interface DialectOptions extends PlainOptions {
  /** Decode `<think>` blocks in the answer's text as reasoning, where a dialect's text can hold them. Default: true. */
  thinkTags?: boolean;
}

const DIALECTS: Readonly<Record<string, (options: DialectOptions) => Dialect>> = {
  'openai-chat': () => openaiChat,
  'openai-completions': () => openaiCompletions,
  'openai-responses': () => openaiResponses,
  anthropic: () => anthropic,
  gemini: () => gemini,
  'gemini-array': () => geminiArray,
  cohere: () => cohere,
  tgi: () => tgi,
  'bedrock-converse': () => bedrockConverse,
  'ollama-chat': () => ollamaChat,
  'ollama-generate': () => ollamaGenerate,
  'ai-sdk-ui': () => aiSdkUi,
  'ag-ui': () => agUi,
  dify: () => dify,
  conversation: () => conversation,
  agent: () => agent,
  playground: () => playground,
  sse: (options) => plain('sse', options),
  ndjson: (options) => plain('ndjson', options),
  raw: (options) => plain('raw', options),
};

// The others have a place for reasoning that all of their models use.
const THINK_TAGS = new Set([
  'openai-chat',
  'openai-completions',
  'ollama-chat',
  'ollama-generate',
  'tgi',
  'dify',
  'playground',
  'sse',
  'ndjson',
  'raw',
]);

/** The names of all dialects. */
export const DIALECT_NAMES: readonly string[] = Object.keys(DIALECTS);

/** The dialect of that name. Throws a `UserError` that lists near names when there is none. */
export function getDialect(name: string, options: DialectOptions = {}): Dialect {
  const make = Object.hasOwn(DIALECTS, name) ? DIALECTS[name] : undefined;
  if (make === undefined) {
    throw new UserError('unknown_dialect', {
      message: `unknown dialect "${name}"`,
      hint: suggest(name, DIALECT_NAMES),
    });
  }
  const dialect = make(options);
  return options.thinkTags !== false && THINK_TAGS.has(name) ? withThinkTags(dialect) : dialect;
}

/** The dialect whose own path a URL ends in, such as `openai-chat` for `/v1/chat/completions`; undefined for a base URL. */
export function dialectOfUrl(url: string): string | undefined {
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  return DIALECT_NAMES.find((name) => getDialect(name).ownsPath(path));
}
