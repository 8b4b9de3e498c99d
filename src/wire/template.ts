import type { ChatRequest } from '../model/request.ts';
import { promptText } from './chat-fields.ts';

// Request bodies and queries written by the user, with placeholders for the values that differ between requests.

/** The names allowed between `{{` and `}}`. */
export const PLACEHOLDERS = ['prompt', 'messages', 'maxTokens', 'model', 'nonce', 'stream'] as const;

/** Name of a placeholder. */
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** A parsed text with placeholders. */
export interface Template {
  /** How values are written: as JSON, as plain text, or percent-encoded. */
  kind: 'json' | 'text' | 'query';
  /** The placeholders in the text. */
  names: ReadonlySet<Placeholder>;
  /** The text with a request's values inserted. Placeholders inside a value are not replaced. */
  fill(chat: ChatRequest): string;
}

/** A part of a template: fixed text, or a placeholder with the function that writes its value. */
type TemplatePart = string | { name: Placeholder; write: (value: unknown) => string };

const PLACEHOLDER = /\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}/g;
/** Spaces in a URL may already be encoded. */
const IN_QUERY = /\{\{(?:\s|%20)*([A-Za-z_][\w.-]*)(?:\s|%20)*\}\}/g;

/**
 * Parses a body. In a JSON object or array, a string that consists of one placeholder becomes the value itself
 * (`"{{messages}}"` an array, `"{{maxTokens}}"` a number or null), and so does a placeholder without quotes. Inside a longer
 * string the value is inserted as escaped text. In any other text, values are inserted unchanged. The rest of the text is
 * not changed.
 */
export function bodyTemplate(text: string): Template {
  const json = jsonParts(text);
  return json === undefined
    ? template('text', split(text, PLACEHOLDER, asPlainText))
    : template('json', json);
}

/** Parses the query of a URL, `?` included. Values are percent-encoded. */
export function queryTemplate(url: string): Template {
  return template(
    'query',
    split(queryOf(url), IN_QUERY, (value) => encodeURIComponent(asPlainText(value))),
  );
}

/** The templates of a target. */
export interface TargetTemplates {
  url?: string;
  body?: string;
  method?: 'GET' | 'POST';
}

/** The placeholders in a target's query, and in its body if it sends one. */
export function writtenPlaceholders({ url = '', body, method }: TargetTemplates): ReadonlySet<Placeholder> {
  const inBody = body === undefined || method === 'GET' ? [] : bodyTemplate(body).names;
  return new Set([...inBody, ...queryTemplate(url).names]);
}

/** The names of unknown placeholders in a text. */
export function unknownPlaceholders(text: string): string[] {
  return Array.from(text.matchAll(IN_QUERY), ([, name = '']) => name).filter((name) => !isKnown(name));
}

/** A URL's query with its `?`, or an empty string. */
function queryOf(url: string): string {
  const [beforeHash = ''] = url.split('#', 1);
  const at = beforeHash.indexOf('?');
  return at === -1 ? '' : beforeHash.slice(at);
}

function isKnown(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}

function template(kind: Template['kind'], parts: readonly TemplatePart[]): Template {
  const names = new Set(parts.flatMap((part) => (typeof part === 'string' ? [] : [part.name])));
  return {
    kind,
    names,
    fill: (chat) =>
      parts
        .map((part) => (typeof part === 'string' ? part : part.write(placeholderValue(part.name, chat))))
        .join(''),
  };
}

function placeholderValue(name: Placeholder, chat: ChatRequest): unknown {
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

/** Splits a text at its placeholders. Unknown names stay text. */
function split(text: string, pattern: RegExp, write: (value: unknown) => string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const [, name = ''] = match;
    if (!isKnown(name)) continue;
    parts.push(text.slice(end, match.index), { name, write });
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

const STRING_OR_PLACEHOLDER = /"[^"\\]*(?:\\.[^"\\]*)*"|\{\{\s*(\w+)\s*\}\}/gs;
const ONLY_PLACEHOLDER = /^"\{\{\s*(\w+)\s*\}\}"$/;

// The text is split, not parsed and re-encoded: numbers, spaces and repeated keys keep their spelling.
function jsonParts(text: string): TemplatePart[] | undefined {
  const parts: TemplatePart[] = [];
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
