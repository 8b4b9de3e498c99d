import type { DatasetFormat } from '../model/prompt.ts';
import type { Message } from '../model/request.ts';
import { csvRecord } from './csv.ts';

/** One prompt of a dataset. */
export interface DatasetEntry {
  /** Its id in the dataset. Default: none. */
  id?: string;
  messages: readonly Message[];
  /** Limit of the answer. Default: the prompt's. */
  maxTokens?: number;
}

/** Why an entry cannot be used, and what to do. */
export interface BrokenEntry {
  cause: string;
  remedy: string;
}

/** How entries are read. */
export interface EntryRules {
  format: DatasetFormat;
  /** Of CSV, the index of the column; of JSON, the field of the prompt. Default: `prompt`. */
  column?: number | string;
  /** Earlier turns of a conversation are sent as well. Default: true, but false for ShareGPT. */
  history?: boolean;
  /** Read whole conversations, with results of tools, up to the last message that is not an answer. Default: false. */
  conversations?: boolean;
}

/** True if an entry was not usable. */
export function isBroken(entry: DatasetEntry | BrokenEntry): entry is BrokenEntry {
  return 'cause' in entry;
}

/** Reads the text of one entry. */
export function readEntry(text: string, rules: EntryRules): DatasetEntry | BrokenEntry {
  switch (rules.format) {
    case 'jsonl':
    case 'json':
      return jsonEntry(text, rules);
    case 'csv':
      return csvEntry(text, Number(rules.column));
    case 'text':
      return promptEntry(text.replace(/^\uFEFF/, '').replace(/\r?\n$/, ''), 'the file is empty');
    default:
      return rules.format satisfies never;
  }
}

const FIX = 'correct the entry, or remove it';

function csvEntry(text: string, column: number): DatasetEntry | BrokenEntry {
  const record = csvRecord(text.replace(/\r$/, ''));
  if ('cause' in record) return record;
  const value = record.fields[column];
  if (value === undefined) {
    const fields = record.fields.length === 1 ? '1 field' : `${record.fields.length} fields`;
    return { cause: `the record has ${fields}, and the prompt is in field ${column + 1}`, remedy: FIX };
  }
  return promptEntry(value, 'the prompt is empty');
}

function promptEntry(content: string, ifEmpty: string): DatasetEntry | BrokenEntry {
  if (content.trim() === '') return { cause: ifEmpty, remedy: FIX };
  return { messages: [{ role: 'user', content }] };
}

const SHAPES =
  'an entry is {"prompt": "..."}, {"messages": [...]} or ShareGPT\'s {"conversations": [...]}; for another field of the prompt set column';

function jsonEntry(text: string, { column, history, conversations }: EntryRules): DatasetEntry | BrokenEntry {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return { cause: 'not valid JSON', remedy: FIX };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { cause: `expected a JSON object, got ${kindOf(value)}`, remedy: SHAPES };
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const read = contentOf(
    fields,
    column === undefined ? undefined : String(column),
    conversations ? 'all' : history,
  );
  if ('cause' in read) return read;
  return { ...read, id: idOf(fields), maxTokens: limitOf(fields) };
}

function contentOf(
  fields: Readonly<Record<string, unknown>>,
  column: string | undefined,
  history: boolean | 'all' | undefined,
): DatasetEntry | BrokenEntry {
  const field = column ?? 'prompt';
  if (field in fields) {
    const prompt = fields[field];
    if (Array.isArray(prompt)) return conversation(prompt, 'role', history ?? true);
    if (typeof prompt !== 'string') {
      return { cause: `"${field}" is ${kindOf(prompt)}, not text`, remedy: FIX };
    }
    return promptEntry(prompt, `"${field}" is empty`);
  }
  if (column !== undefined)
    return { cause: `the entry has no "${column}"`, remedy: 'set column to a field of every entry' };
  const { messages, conversations } = fields;
  if (Array.isArray(messages)) return conversation(messages, 'role', history ?? true);
  if (Array.isArray(conversations)) return conversation(conversations, 'from', history ?? false);
  return { cause: 'the entry has no prompt, messages or conversations', remedy: SHAPES };
}

/** Roles by their names in chat formats and in ShareGPT. */
const ROLES: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
};

const SESSION_ROLES: typeof ROLES = {
  ...ROLES,
  tool: 'tool',
  function: 'tool',
  observation: 'tool',
  function_call: 'assistant',
};

// ShareGPT has `from` and `value` where chat formats have `role` and `content`.
function conversation(
  list: readonly unknown[],
  roleKey: 'role' | 'from',
  history: boolean | 'all',
): DatasetEntry | BrokenEntry {
  const messages: Message[] = [];
  const roles = history === 'all' ? SESSION_ROLES : ROLES;
  for (const [index, item] of list.entries()) {
    const fields = (typeof item === 'object' && item !== null ? item : {}) as Readonly<
      Record<string, unknown>
    >;
    const name = fields[roleKey] ?? fields.role ?? fields.from;
    const role = typeof name === 'string' && Object.hasOwn(roles, name) ? roles[name] : undefined;
    if (role === undefined) {
      const known = Object.keys(roles).join(', ');
      return { cause: `message ${index + 1} has ${roleKeyProblem(name)}`, remedy: `known roles: ${known}` };
    }
    const isCall = history === 'all' && role === 'assistant';
    // Recorded answers are not sent in a session, so they may lack a text, as those with tool calls do.
    const content = textOf(fields.content ?? fields.value) ?? (isCall ? '' : undefined);
    if (content === undefined) return { cause: `message ${index + 1} has no text`, remedy: FIX };
    messages.push({ role, content });
  }
  const isUser = ({ role }: Message) => role === 'user' || (history === 'all' && role === 'tool');
  // The request ends with a question: the last one, or the first where the turns before are not sent.
  const end = history !== false ? messages.findLastIndex(isUser) : messages.findIndex(isUser);
  const sent = messages.slice(0, end + 1);
  if (end === -1) return { cause: 'the conversation has no message of a user', remedy: FIX };
  if (messages[end]?.content.trim() === '') return { cause: `message ${end + 1} is empty`, remedy: FIX };
  return { messages: history !== false ? sent : sent.filter(({ role }) => role !== 'assistant') };
}

function roleKeyProblem(name: unknown): string {
  return typeof name === 'string' ? `the unknown role ${JSON.stringify(name.slice(0, 40))}` : 'no role';
}

// Text, or a list of text parts.
function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content) || content.length === 0) return undefined;
  const parts = content.map((part: unknown) => {
    const text = typeof part === 'object' && part !== null ? (part as { text?: unknown }).text : part;
    return typeof text === 'string' ? text : undefined;
  });
  return parts.includes(undefined) ? undefined : parts.join('');
}

function idOf({ id }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

function limitOf({
  max_tokens,
  maxTokens = max_tokens,
}: Readonly<Record<string, unknown>>): number | undefined {
  return typeof maxTokens === 'number' && Number.isInteger(maxTokens) && maxTokens > 0
    ? maxTokens
    : undefined;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
