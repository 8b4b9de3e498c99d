import { type Problem, UserError } from '../model/errors.ts';
import type { ChatRequest } from '../model/request.ts';
import type { Dialect } from './dialect.ts';
import { apiDialects } from './dialects/index.ts';
import { REQUEST_OPTIONS, type RequestFeature, type RequestOption } from './request-parts.ts';
import type { Placeholder } from './template.ts';

// What a dialect cannot express is an error before anything is sent, so that no part of a request is dropped silently.

/** A field of a request that not every dialect can express. */
export type CheckedField = RequestFeature | RequestOption;

/** The field as it is named in a request, and what it is in words. */
const FIELDS: Readonly<
  Record<CheckedField, { path: string; title: string; isUsed(chat: ChatRequest): boolean }>
> = {
  image: {
    path: 'messages[].media',
    title: 'images',
    isUsed: ({ messages }) => messages.some(({ media }) => media?.some(({ kind }) => kind === 'image')),
  },
  audio: {
    path: 'messages[].media',
    title: 'audio',
    isUsed: ({ messages }) => messages.some(({ media }) => media?.some(({ kind }) => kind === 'audio')),
  },
  tools: { path: 'tools', title: 'tools', isUsed: ({ tools }) => tools !== undefined && tools.length > 0 },
  toolResults: {
    path: 'messages[].toolCalls and messages[].call',
    title: 'tool calls and their results',
    isUsed: ({ messages }) => messages.some(({ call, toolCalls }) => call !== undefined || toolCalls?.length),
  },
  schema: {
    path: 'answerSchema',
    title: 'a JSON Schema for the answer',
    isUsed: ({ answerSchema }) => answerSchema !== undefined,
  },
  maxTokens: option('maxTokens', 'a limit of the answer'),
  temperature: option('temperature', 'a temperature'),
  stop: option('stop', 'stop texts'),
  n: option('n', 'a number of answers'),
  seed: option('seed', 'a seed'),
  reasoningEffort: option('reasoningEffort', 'a reasoning effort'),
};

function option(name: RequestOption, title: string) {
  return { path: name, title, isUsed: (chat: ChatRequest) => chat[name] !== undefined };
}

function isOption(field: CheckedField): field is RequestOption {
  return (REQUEST_OPTIONS as readonly string[]).includes(field);
}

/** The names of all fields that not every dialect can express. */
export const CHECKED_FIELDS = Object.keys(FIELDS) as readonly CheckedField[];

/** True if the requests of a dialect can express a field. */
export function expresses(dialect: Pick<Dialect, 'accepts' | 'options'>, field: CheckedField): boolean {
  const known: ReadonlySet<string> = new Set([...(dialect.accepts ?? []), ...(dialect.options ?? [])]);
  return known.has(field);
}

/** How a request is checked. */
export interface CheckOptions {
  /** The placeholders of a body or a query that replaces the dialect's own: only they are sent. */
  template?: ReadonlySet<Placeholder>;
  /** `omit`: options are left out where the dialect cannot express them. Default: `error`. */
  unsupported?: 'error' | 'omit';
}

/** Throws a `UserError` (`usage`) that names each part of a request that the dialect cannot express. */
export function checkRequest(
  chat: ChatRequest,
  dialect: Dialect,
  { template, unsupported }: CheckOptions = {},
): void {
  const problems = messageProblems(chat);
  for (const field of CHECKED_FIELDS) {
    const { path, title, isUsed } = FIELDS[field];
    if (!isUsed(chat) || (unsupported === 'omit' && isOption(field))) continue;
    if (template !== undefined) {
      if (field === 'maxTokens' && template.has(field)) continue;
      problems.push({
        message: `${path}: the body of this client replaces the dialect's, which would contain ${title}`,
        hint: `write ${title} into the body, and remove ${path} from the request`,
      });
    } else if (!expresses(dialect, field)) {
      const able = [...apiDialects()].filter((other) => expresses(other, field)).map(({ name }) => name);
      problems.push({
        message: `${path}: the dialect ${dialect.name} cannot express ${title}`,
        hint: `dialects that can: ${able.join(', ')}. Fields of this service alone go into extra`,
      });
    }
  }
  if (problems.length > 0) throw new UserError('usage', problems);
}

function messageProblems({ messages }: ChatRequest): Problem[] {
  return messages.flatMap(({ role, call, toolCalls, media }, index): Problem[] => {
    const at = `messages[${index}]`;
    const problems: Problem[] = [];
    if ((role === 'tool') !== (call !== undefined)) {
      problems.push({
        message: `${at}: ${role === 'tool' ? 'a tool message has no call' : `a message of the role ${role} has a call`}`,
        hint: 'give the call that the message is the result of, in a message of the role "tool"',
      });
    }
    if (toolCalls !== undefined && role !== 'assistant') {
      problems.push({
        message: `${at}.toolCalls: a message of the role ${role} calls no tools`,
        hint: 'put the calls into the message of the role "assistant" that made them',
      });
    }
    if (media !== undefined && media.length > 0 && role !== 'user') {
      problems.push({
        message: `${at}.media: a message of the role ${role} has no images or audio`,
        hint: 'put them into a message of the role "user"',
      });
    }
    return problems;
  });
}
