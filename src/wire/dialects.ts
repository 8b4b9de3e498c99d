import { UserError } from '../model/errors.ts';
import { suggest } from '../model/names.ts';
import type { WireFormat } from './format.ts';
import { openaiChat } from './openai-chat.ts';

/** Settings that some dialects take. */
export interface DialectOptions {
  /** Where the text of an event is, for plain `sse`: a path such as `choices.0.delta.content`. */
  textPath?: string;
}

const DIALECTS: Readonly<Record<string, (options: DialectOptions) => WireFormat>> = {
  'openai-chat': () => openaiChat,
};

/** The names of all dialects. */
export const DIALECT_NAMES: readonly string[] = Object.keys(DIALECTS);

/** The dialect of that name. Throws a `UserError` that lists near names when there is none. */
export function wireFormat(name: string, options: DialectOptions = {}): WireFormat {
  const make = Object.hasOwn(DIALECTS, name) ? DIALECTS[name] : undefined;
  if (make === undefined) {
    throw new UserError('unknown_dialect', {
      message: `unknown dialect "${name}"`,
      hint: suggest(name, DIALECT_NAMES),
    });
  }
  return make(options);
}
