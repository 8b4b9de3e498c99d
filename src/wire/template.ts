import type { ChatRequest } from '../model/request.ts';
import { promptText } from './chat-fields.ts';

/** Request bodies and queries that are written by hand, with placeholders for what differs between requests. */

/** What can stand between `{{` and `}}`. */
export const PLACEHOLDERS = ['prompt', 'messages', 'maxTokens', 'model', 'nonce', 'stream'] as const;

/** Name of a placeholder. */
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** A text with placeholders, ready to be filled. */
export interface Template {
  /** `json`: values are written as JSON. `text`: as they are. `query`: percent-encoded. */
  kind: 'json' | 'text' | 'query';
  /** The placeholders in it. */
  names: ReadonlySet<Placeholder>;
  /** The text with the values of a request in place. What a value itself holds is not filled again. */
  fill(chat: ChatRequest): string;
}

/** A piece of a template: text that stays, or a placeholder and how its value is written there. */
type Part = string | { name: Placeholder; write: (value: unknown) => string };

const PLACEHOLDER = /\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}/g;
/** A URL's spaces are encoded by the time it is read. */
const IN_QUERY = /\{\{(?:\s|%20)*([A-Za-z_][\w.-]*)(?:\s|%20)*\}\}/g;

/**
 * A body. In a JSON object or array, a string that is nothing but a placeholder becomes the value itself (`"{{messages}}"` a
 * list, `"{{maxTokens}}"` a number or null), as does a placeholder without quotes; inside a longer string the value is
 * inserted as text and escaped. In any other text values are inserted as they are. All else stays byte for byte.
 */
export function bodyTemplate(text: string): Template {
  const json = jsonParts(text);
  return json === undefined
    ? template('text', split(text, PLACEHOLDER, asPlainText))
    : template('json', json);
}

/** The query of a URL, from `?` on, with values percent-encoded. */
export function queryTemplate(url: string): Template {
  return template(
    'query',
    split(queryOf(url), IN_QUERY, (value) => encodeURIComponent(asPlainText(value))),
  );
}

/** The parts of a request that its target writes by hand. */
export interface HandWritten {
  url?: string;
  body?: string;
  method?: 'GET' | 'POST';
}

/** The placeholders in a target's query, and in its body where it sends one. */
export function writtenPlaceholders({ url = '', body, method }: HandWritten): ReadonlySet<Placeholder> {
  const inBody = body === undefined || method === 'GET' ? [] : bodyTemplate(body).names;
  return new Set([...inBody, ...queryTemplate(url).names]);
}

/** What looks like a placeholder in a text, and is none that is known. */
export function unknownPlaceholders(text: string): string[] {
  return Array.from(text.matchAll(IN_QUERY), ([, name = '']) => name).filter((name) => !isKnown(name));
}

/** A URL's query with its `?`, or nothing. */
function queryOf(url: string): string {
  const [beforeHash = ''] = url.split('#', 1);
  const at = beforeHash.indexOf('?');
  return at === -1 ? '' : beforeHash.slice(at);
}

function isKnown(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}

function template(kind: Template['kind'], parts: readonly Part[]): Template {
  const names = new Set(parts.flatMap((part) => (typeof part === 'string' ? [] : [part.name])));
  return {
    kind,
    names,
    fill: (chat) =>
      parts.map((part) => (typeof part === 'string' ? part : part.write(chosen(part.name, chat)))).join(''),
  };
}

function chosen(name: Placeholder, chat: ChatRequest): unknown {
  switch (name) {
    case 'prompt':
      return promptText(chat.messages);
    case 'messages':
      return chat.messages;
    case 'maxTokens':
      return chat.maxTokens;
    case 'model':
      return chat.model;
    case 'nonce':
      return chat.nonce ?? '';
    case 'stream':
      return chat.stream;
    default:
      return name satisfies never;
  }
}

function asPlainText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function asJson(value: unknown): string {
  return JSON.stringify(value ?? null);
}

function insideJson(value: unknown): string {
  return JSON.stringify(asPlainText(value)).slice(1, -1);
}

/** Cuts a text at its placeholders. What is unknown stays text. */
function split(text: string, pattern: RegExp, write: (value: unknown) => string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const name = match[1]!;
    if (!isKnown(name)) continue;
    parts.push(text.slice(end, match.index), { name, write });
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

const STRING_OR_PLACEHOLDER = /"[^"\\]*(?:\\.[^"\\]*)*"|\{\{\s*(\w+)\s*\}\}/gs;
const ONLY_PLACEHOLDER = /^"\{\{\s*(\w+)\s*\}\}"$/;

// The text is cut, not parsed and written again: numbers, spaces and repeated keys stay as they were written.
function jsonParts(text: string): Part[] | undefined {
  const parts: Part[] = [];
  let sample = '';
  let end = 0;
  for (const match of text.matchAll(STRING_OR_PLACEHOLDER)) {
    const [token, bare] = match;
    const name = bare ?? ONLY_PLACEHOLDER.exec(token)?.[1];
    const before = text.slice(end, match.index);
    end = match.index + token.length;
    const known = name !== undefined && isKnown(name);
    sample += before + (bare !== undefined && known ? 'null' : token);
    parts.push(before, ...(known ? [{ name, write: asJson }] : split(token, PLACEHOLDER, insideJson)));
  }
  parts.push(text.slice(end));
  return isContainer(sample + text.slice(end)) ? parts : undefined;
}

function isContainer(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
