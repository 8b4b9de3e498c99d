import { UserError } from '../../model/errors.ts';
import { isPlainDialect, PLAIN_DIALECTS } from '../../model/plan.ts';
import { suggest } from '../../model/suggestions.ts';
import type { Dialect } from '../dialect.ts';
import type { RequestFeature } from '../request-parts.ts';
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

/** Settings of single dialects. The other dialects ignore them. */
export interface DialectOptions extends PlainOptions {
  /** Decode `<think>` blocks in the answer text as reasoning, for dialects with `thinkTags`. Default: true. */
  thinkTags?: boolean;
}

const API_DIALECTS: ReadonlyMap<string, Dialect> = new Map(
  [
    openaiChat,
    openaiCompletions,
    openaiResponses,
    anthropic,
    gemini,
    geminiArray,
    cohere,
    tgi,
    bedrockConverse,
    ollamaChat,
    ollamaGenerate,
    aiSdkUi,
    agUi,
    dify,
    conversation,
    agent,
    playground,
  ].map((dialect) => [dialect.name, dialect]),
);

/** The names of all dialects. */
export const DIALECT_NAMES: readonly string[] = [...API_DIALECTS.keys(), ...PLAIN_DIALECTS];

/** The dialect of that name. Throws a `UserError` with similar names if it is unknown. */
export function getDialect(name: string, options: DialectOptions = {}): Dialect {
  const dialect = isPlainDialect(name) ? plain(name, options) : API_DIALECTS.get(name);
  if (dialect === undefined) {
    throw new UserError('unknown_dialect', {
      message: `unknown dialect "${name}"`,
      hint: suggest(name, DIALECT_NAMES),
    });
  }
  return options.thinkTags !== false && dialect.thinkTags ? withThinkTags(dialect) : dialect;
}

/** The dialects of known APIs: all but the plain ones. */
export function apiDialects(): Iterable<Dialect> {
  return API_DIALECTS.values();
}

/** The names of the dialects whose requests can contain a feature. */
export function dialectsAccepting(feature: RequestFeature): string[] {
  return [...API_DIALECTS.values()].filter(({ accepts }) => accepts?.has(feature)).map(({ name }) => name);
}

/** The name of the dialect whose path a URL ends in: `openai-chat` for `/v1/chat/completions`; undefined for a base URL. */
export function dialectOfUrl(url: string): string | undefined {
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  return DIALECT_NAMES.find((name) => getDialect(name).ownsPath(path));
}
