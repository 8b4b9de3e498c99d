import type { ChatRequest, RequestFields } from '../../model/request.ts';
import type { Dialect } from '../../wire/dialect.ts';
import { asArray, asObject, asText, type Json, parseJson } from '../../wire/json.ts';
import { type PastedRequest, partsOfUrl } from './pasted-request.ts';

// What a pasted request asks for, in the terms of a scenario.

/** A request that a dialect can write: the fields of the target and of the prompt. */
export interface KnownRequest {
  model?: string;
  messages: ChatRequest['messages'];
  maxTokens?: number;
  /** Fields that the dialect would not write. */
  extra?: Json;
  requestFields?: RequestFields;
}

/**
 * The request as the dialect would write it. Undefined if the dialect cannot express its messages (images, tools), or if the
 * request is not one of this dialect: it is then sent as it is.
 */
export function knownRequest(
  dialect: Dialect,
  { method, url, body = '' }: PastedRequest,
  providerFields: RequestFields | undefined,
): KnownRequest | undefined {
  const pasted = asObject(parseJson(body));
  const chat = dialect.parseRequest({ method, ...partsOfUrl(url), body });
  if (pasted === undefined || chat === undefined || chat.messages.length === 0) return undefined;
  const { model, messages, maxTokens } = chat;
  const written = (fields: RequestFields | undefined, more: Partial<ChatRequest> = {}) =>
    asObject(
      parseJson(dialect.request({ model, messages, maxTokens, stream: true, fields, ...more }).body ?? ''),
    ) ?? {};
  const other = written(providerFields, { messages: [{ role: 'user', content: 'another prompt' }] });
  const whole = written(providerFields, { stream: false });
  const ours = written(providerFields);
  // What differs between modes is for streambench to set.
  const ofMode = changedKeys(ours, whole);
  const choices = [providerFields, { ...providerFields, maxTokens: 'max_completion_tokens' as const }].map(
    (requestFields) => ({ requestFields, extra: additions(written(requestFields), pasted) ?? {} }),
  );
  const best = choices.reduce((a, b) => (Object.keys(b.extra).length < Object.keys(a.extra).length ? b : a));
  const extra = Object.fromEntries(Object.entries(best.extra).filter(([key]) => !ofMode.has(key)));
  const prompts = changedKeys(ours, other);
  if (Object.keys(extra).some((key) => prompts.has(key))) return undefined;
  return {
    model,
    messages,
    maxTokens,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
    requestFields: best.requestFields === providerFields ? undefined : best.requestFields,
  };
}

function changedKeys(a: Json, b: Json): Set<string> {
  const keys = [...Object.keys(a), ...Object.keys(b)];
  return new Set(keys.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key])));
}

/** What `wanted` has beyond `base`, as a JSON Merge Patch; undefined if nothing. What it lacks is not removed. */
function additions(base: Json, wanted: Json): Json | undefined {
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(wanted)) {
    const [own, object] = [asObject(base[key]), asObject(value)];
    const difference =
      own !== undefined && object !== undefined
        ? additions(own, object)
        : JSON.stringify(base[key]) === JSON.stringify(value)
          ? undefined
          : value;
    // A null in a patch would remove the field, and no field is as good as a null.
    if (difference !== undefined && difference !== null) found[key] = difference;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

/** A pasted body with placeholders. */
export interface BodyTemplate {
  /** A JSON object with the placeholders in it, or the text as it was pasted. */
  body: Json | string;
  /** The text that `{{prompt}}` replaces; undefined if no field for it was found. */
  prompt?: string;
}

/** The body with `{{prompt}}` in place of the question, and with `{{stream}}` if it chooses the mode. */
export function bodyTemplate(text: string): BodyTemplate {
  const json = asObject(parseJson(text));
  // Numbers that JavaScript cannot hold stay as they are written.
  if (json === undefined || /[-\d.eE+]{17,}/.test(text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '')))
    return { body: text };
  const copy = structuredClone(json) as Record<string, unknown>;
  const prompt = takePrompt(copy);
  if (typeof copy.stream === 'boolean') copy.stream = '{{stream}}';
  return { body: copy, prompt };
}

const PROMPT_FIELDS = [
  ...[
    'prompt',
    'query',
    'question',
    'message',
    'user_message',
    'userMessage',
    'user_input',
    'input',
    'inputs',
  ],
  ...['text', 'content', 'q', 'msg', 'utterance', 'chatInput'],
];

function takePrompt(body: Record<string, unknown>): string | undefined {
  for (const field of ['messages', 'contents', 'input', 'history']) {
    const last = asArray(body[field])?.findLast((one) => asObject(one)?.role === 'user');
    const taken = last === undefined ? undefined : takeText(last as Record<string, unknown>);
    if (taken !== undefined) return taken;
  }
  return takeText(body);
}

function takeText(object: Record<string, unknown>): string | undefined {
  for (const field of PROMPT_FIELDS) {
    const text = asText(object[field]);
    if (text === undefined || text.trim() === '') continue;
    object[field] = '{{prompt}}';
    return text;
  }
  for (const field of ['content', 'parts', 'message', 'data', 'payload', 'params', 'variables', 'inputs']) {
    const inner =
      asArray(object[field])?.findLast((part) => asText(asObject(part)?.text)) ?? asObject(object[field]);
    const taken = inner === undefined ? undefined : takeText(inner as Record<string, unknown>);
    if (taken !== undefined) return taken;
  }
  return undefined;
}
