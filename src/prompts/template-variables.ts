import type { Message } from '../model/request.ts';

const VARIABLE = /\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}/g;

/** The names in double braces in a text. */
export function variableNames(text: string): string[] {
  return Array.from(text.matchAll(VARIABLE), ([, name = '']) => name);
}

/** A function that replaces the variables in messages. A value is inserted as it is; braces in it are not replaced. */
export function filledTemplate(
  messages: readonly Message[],
): (values: ReadonlyMap<string, string>) => readonly Message[] {
  return (values) =>
    messages.map((message) => ({
      ...message,
      content: message.content.replaceAll(VARIABLE, (written, name: string) => values.get(name) ?? written),
    }));
}
