import { UserError } from '../model/errors.ts';
import { suggest } from '../model/names.ts';
import type { AuthScheme } from '../model/plan.ts';

/** A provider is a row of data: where it is, what it speaks, how it wants its key. */
export interface Provider {
  name: string;
  /** Undefined where every user has an address of their own; the target must then give one. */
  baseUrl?: string;
  dialect: string;
  auth: AuthScheme;
  /** The environment variable that usually holds the key. */
  keyVariable?: string;
  /** What a user should know, in one line. */
  note?: string;
}

/** All providers that are known by name. `simulator` is the embedded one: its address is filled in when it starts. */
export const PROVIDERS: readonly Provider[] = [
  { name: 'simulator', dialect: 'openai-chat', auth: 'none', note: 'embedded; started by the run itself' },
  {
    name: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'OPENAI_API_KEY',
  },
  {
    name: 'zhipu',
    baseUrl: 'https://open.bigmodel.cn/api/paas/v4',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'ZHIPU_API_KEY',
  },
  {
    name: 'ollama',
    baseUrl: 'http://127.0.0.1:11434',
    dialect: 'ollama-chat',
    auth: 'none',
    keyVariable: 'OLLAMA_API_KEY',
  },
  { name: 'sse', dialect: 'sse', auth: 'bearer', note: 'any endpoint that sends Server-Sent Events' },
];

/** The provider of that name. Throws a `UserError` that lists near names when there is none. */
export function provider(name: string): Provider {
  const row = PROVIDERS.find((candidate) => candidate.name === name);
  if (row === undefined) {
    throw new UserError('unknown_provider', {
      message: `unknown provider "${name}"`,
      hint: suggest(
        name,
        PROVIDERS.map((candidate) => candidate.name),
      ),
    });
  }
  return row;
}
