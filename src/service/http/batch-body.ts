import { asArray, asObject, asText, parseJson } from '../../wire/json.ts';
import { HttpError } from './http-error.ts';
import { type ChatBody, checkChatBody, readName } from './requests.ts';

const MAX_PROMPTS = 100;
const MAX_CONCURRENCY = 16;
const DEFAULT_CONCURRENCY = 4;

/** A checked request with several prompts. */
export interface BatchBody {
  prompts: readonly { id: string; chat: ChatBody }[];
  /** Prompts that are answered at the same time. */
  concurrency: number;
}

/**
 * Parses `{"prompts":[...],"concurrency":4, ...}`. A prompt is a text, or an object with an `id` and the fields of a chat
 * request. All other fields are defaults for every prompt. Throws an `HttpError` as `readChatBody` does.
 */
export function readBatchBody(body: string, messageLimitBytes: number): BatchBody {
  const json = asObject(parseJson(body));
  if (json === undefined) throw invalid('', 'the body is not a JSON object', 'invalid_json');
  const { prompts: given, concurrency = DEFAULT_CONCURRENCY, ...defaults } = json;
  const list = asArray(given);
  if (list === undefined || list.length === 0 || list.length > MAX_PROMPTS) {
    throw invalid('prompts', `give 1 to ${MAX_PROMPTS} prompts`);
  }
  if (!Number.isInteger(concurrency) || Number(concurrency) < 1 || Number(concurrency) > MAX_CONCURRENCY) {
    throw invalid('concurrency', `give a whole number from 1 to ${MAX_CONCURRENCY}`);
  }
  for (const field of ['stream', 'resumable']) {
    if (defaults[field] !== undefined) throw invalid(field, 'a batch is always one stream: leave it out');
  }
  const seen = new Set<string>();
  const prompts = list.map((item, index) => {
    const path = `prompts.${index}`;
    const text = asText(item);
    const fields = text === undefined ? asObject(item) : { message: text };
    if (fields === undefined) throw invalid(path, 'give a text or an object');
    const { id: givenId = String(index), ...chat } = fields;
    const id = readName(`${path}.id`, String(givenId));
    if (seen.has(id)) throw invalid(`${path}.id`, 'the id is used twice');
    seen.add(id);
    return { id, chat: checkChatBody({ ...defaults, ...chat, stream: true }, messageLimitBytes, path) };
  });
  return { prompts, concurrency: Math.min(Number(concurrency), prompts.length) };
}

function invalid(path: string, message: string, code = 'invalid_request'): HttpError {
  const where = path === '' ? message : `the request is not valid: ${path}`;
  return new HttpError(400, code, where, { problems: [{ path, message }] });
}
