import { isContent, type StreamEvent } from '../../src/model/events.ts';

/** What is wrong with an event, whatever it was decoded from; undefined for one that keeps the event model's promises. */
export function fault(event: StreamEvent): string | undefined {
  for (const key of Object.keys(event)) {
    const value = (event as unknown as Record<string, unknown>)[key];
    const check = FIELDS[`${event.type}.${key}`] ?? FIELDS[key];
    if (check === undefined) return `${event.type} has a field ${key}`;
    if (value !== undefined && !check(value)) return `${event.type}.${key} is ${shown(value)}`;
  }
  for (const key of REQUIRED[event.type]) {
    if (!(key in event)) return `${event.type} has no ${key}`;
  }
  if (isContent(event) && 'text' in event && event.text === '') return `${event.type} is empty`;
  return undefined;
}

const text = (value: unknown) => typeof value === 'string';
const count = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const flag = (value: unknown) => typeof value === 'boolean';
const anything = () => true;

const FIELDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: text,
  id: text,
  model: text,
  text,
  index: count,
  name: text,
  arguments: text,
  kind: (value) => ['audio', 'image', 'file'].includes(value as string),
  mediaType: text,
  strip: count,
  result: anything,
  step: count,
  data: anything,
  'media.data': text,
  'unknown.data': text,
  inputTokens: count,
  outputTokens: count,
  reasoningTokens: count,
  cachedInputTokens: count,
  refused: (value) => Array.isArray(value) && value.every(text),
  finish: (value) =>
    ['stop', 'length', 'tool_calls', 'content_filter', 'error', 'other'].includes(value as string),
  raw: text,
  message: text,
  code: text,
  malformed: flag,
  rateLimited: flag,
};

const REQUIRED: Readonly<Record<StreamEvent['type'], readonly string[]>> = {
  start: [],
  message_chunk: ['text'],
  thinking: ['text'],
  tool_call: ['index', 'arguments'],
  server_tool_call: ['index', 'arguments'],
  media: ['kind', 'data'],
  answer_start: ['strip'],
  tool_result: [],
  step_complete: [],
  memory_update: ['data'],
  metadata: ['data'],
  usage: [],
  complete: ['finish'],
  error: ['message'],
  unknown: ['data'],
};

function shown(value: unknown): string {
  try {
    return String(JSON.stringify(value)).slice(0, 60);
  } catch (error) {
    return `no JSON (${String(error)})`;
  }
}
