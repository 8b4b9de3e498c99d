import type { StreamEvent } from '../../model/events.ts';
import type { FinishWords } from '../chat-fields.ts';
import { asArguments, asArray, asObject, asText, encodeJson, type Json } from '../json.ts';
import { JsonDecoder } from '../json-decoder.ts';

const FINISH_WORDS: FinishWords = {
  completed: 'stop',
  'incomplete:max_output_tokens': 'length',
  'incomplete:content_filter': 'content_filter',
  incomplete: 'other',
  cancelled: 'other',
};

/** Events that repeat information of the deltas and the last event. */
const SILENT: ReadonlySet<unknown> = new Set([
  'response.in_progress',
  'response.queued',
  'response.output_text.done',
  'response.content_part.added',
  'response.content_part.done',
  'response.refusal.done',
  'response.function_call_arguments.done',
  'response.custom_tool_call_input.done',
  'response.mcp_call_arguments.done',
  'response.code_interpreter_call_code.done',
  'response.shell_call_command.done',
  'response.apply_patch_call_operation_diff.done',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_part.done',
  'response.reasoning_summary_text.done',
  'response.reasoning_text.done',
  'response.audio.done',
  'response.audio.transcript.done',
  'keepalive',
]);

/** Reads the input of a call from its item. */
type CallInput = (item: Json) => unknown;

const action: CallInput = (item) => item.action;

/** Calls that the client runs. Built-in ones have no name: their type is the name. */
const CLIENT_CALLS: Readonly<Record<string, CallInput>> = {
  function_call: (item) => item.arguments,
  custom_tool_call: (item) => item.input,
  apply_patch_call: (item) => item.operation,
  local_shell_call: action,
  shell_call: action,
  computer_call: (item) => item.action ?? item.actions,
};

/** Calls that the service runs, and whose input it sends. The input of searches is not sent. */
const SERVER_CALLS: Readonly<Record<string, CallInput>> = {
  code_interpreter_call: (item) => item.code,
  mcp_call: (item) => item.arguments,
};

/** An open tool call. */
interface OpenCall {
  type: 'tool_call' | 'server_tool_call';
  index: number;
  /** Its input has come in pieces. */
  pieces: boolean;
  /** The JSON around pieces that are the text of one value in it. */
  around?: Around;
}

/** JSON text before and after a text in it. */
interface Around {
  before: string;
  after: string;
}

/** Reads the events of a stream, and a whole response. */
export class ResponsesDecoder extends JsonDecoder {
  /** Output index or item id -> call. */
  private readonly open = new Map<unknown, OpenCall>();

  constructor() {
    super(FINISH_WORDS, true);
  }

  protected read(json: Json, out: StreamEvent[]): boolean {
    switch (json.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
      case 'response.audio.transcript.delta':
        this.text(out, json.delta);
        return true;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        this.thinking(out, json.delta);
        return true;
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
      case 'response.mcp_call_arguments.delta':
      case 'response.code_interpreter_call_code.delta':
      case 'response.shell_call_command.delta':
      case 'response.apply_patch_call_operation_diff.delta':
        return this.piece(json, out);
      case 'response.shell_call_command.added':
        return this.nextCommand(json, out);
      case 'response.audio.delta':
        this.media(out, 'audio', json.delta);
        return true;
      case 'response.image_generation_call.partial_image':
        this.media(out, 'image', json.partial_image_b64);
        return true;
      case 'response.output_item.added':
        this.added(json, out);
        return true;
      case 'response.output_item.done':
        this.done(json, out);
        return true;
      case 'response.created': {
        const response = asObject(json.response);
        this.start(out, asText(response?.id), asText(response?.model));
        return true;
      }
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
        this.last(asObject(json.response) ?? {}, out);
        return true;
      case 'error':
        this.fail(out, json);
        return true;
      default:
        if (json.object === 'response') return this.whole(json, out);
        return SILENT.has(json.type);
    }
  }

  // An `error` event is followed by `response.failed` with the same error.
  protected override mayFollowEnd(json: Json): boolean {
    return json.type === 'response.failed';
  }

  private added(json: Json, out: StreamEvent[]): OpenCall | undefined {
    const item = asObject(json.item) ?? {};
    const input = inputOf(item);
    if (input === undefined) return undefined;
    // An item may begin with its input empty, and pieces of it follow.
    const args = json.type === 'response.output_item.added' && isEmptyInput(input.value) ? '' : input.text;
    const name = asText(item.name) ?? (item.type === 'function_call' ? undefined : asText(item.type));
    const id = asText(item.call_id) ?? asText(item.id);
    const index = input.server ? this.serverCall(out, name, id, args) : this.call(out, name, id, args);
    const type = input.server ? 'server_tool_call' : 'tool_call';
    const call: OpenCall = { type, index, pieces: args !== '', around: aroundPieces(item) };
    this.open.set(json.output_index ?? item.id, call);
    return call;
  }

  private piece(json: Json, out: StreamEvent[]): boolean {
    const call = this.open.get(json.output_index ?? json.item_id);
    if (call === undefined) return false;
    const args = asText(json.delta);
    if (args === undefined) return true;
    const { type, index, around } = call;
    const text = around === undefined ? args : `${call.pieces ? '' : around.before}${inJson(args)}`;
    call.pieces = true;
    out.push({ type, index, arguments: text });
    return true;
  }

  private nextCommand(json: Json, out: StreamEvent[]): boolean {
    const call = this.open.get(json.output_index);
    if (call?.pieces) out.push({ type: call.type, index: call.index, arguments: '","' });
    return call !== undefined;
  }

  // Some servers send a call's arguments, or the whole call, only when it is done.
  private done(json: Json, out: StreamEvent[]): void {
    const item = asObject(json.item) ?? {};
    if (item.type === 'image_generation_call') this.media(out, 'image', item.result);
    const input = inputOf(item);
    if (input === undefined) return;
    const call = this.open.get(json.output_index ?? item.id);
    if (call === undefined) {
      this.added(json, out);
      return;
    }
    const rest = call.pieces ? (call.around?.after ?? '') : input.text;
    call.pieces = true;
    call.around = undefined;
    if (rest !== '') out.push({ type: call.type, index: call.index, arguments: rest });
  }

  private last(response: Json, out: StreamEvent[]): void {
    this.usage(asObject(response.usage));
    const status = asText(response.status);
    if (status === 'failed' || (response.error !== undefined && response.error !== null)) {
      this.fail(out, response.error, 'the response failed');
      return;
    }
    const reason = asText(asObject(response.incomplete_details)?.reason);
    this.finish = reason === undefined ? status : `${status}:${reason}`;
    this.complete(out);
  }

  private whole(response: Json, out: StreamEvent[]): boolean {
    this.start(out, asText(response.id), asText(response.model));
    for (const entry of asArray(response.output) ?? []) {
      const item = asObject(entry) ?? {};
      if (this.added({ item }, out) !== undefined) continue;
      if (item.type === 'message') for (const part of parts(item.content)) this.text(out, part);
      else if (item.type === 'image_generation_call') this.media(out, 'image', item.result);
      else if (item.type === 'reasoning') {
        const summary = parts(item.summary);
        for (const part of summary.length > 0 ? summary : parts(item.content)) this.thinking(out, part);
      } else {
        out.push({ type: 'unknown', name: asText(item.type), data: encodeJson(item) });
      }
    }
    this.last(response, out);
    return true;
  }

  private usage(usage: Json | undefined): void {
    if (usage === undefined) return;
    this.addCounts({
      inputTokens: usage.input_tokens,
      outputTokens: usage.output_tokens,
      reasoningTokens: asObject(usage.output_tokens_details)?.reasoning_tokens,
      cachedInputTokens: asObject(usage.input_tokens_details)?.cached_tokens,
      totalTokens: usage.total_tokens,
    });
  }
}

/** The input of an item that is a call, and who makes the call; undefined for other items. */
function inputOf(item: Json): { value: unknown; text: string; server: boolean } | undefined {
  const kind = asText(item.type) ?? '';
  const client = Object.hasOwn(CLIENT_CALLS, kind) ? CLIENT_CALLS[kind] : undefined;
  const read = client ?? (Object.hasOwn(SERVER_CALLS, kind) ? SERVER_CALLS[kind] : undefined);
  if (read === undefined) return undefined;
  // The service itself runs a shell in its container.
  const environment = asText(asObject(item.environment)?.type) ?? '';
  const value = read(item);
  return {
    value,
    text: asArguments(value),
    server: client === undefined || environment.startsWith('container'),
  };
}

// A patch comes as the text of its diff, a shell's commands as their texts: the call's arguments are JSON all the same.
function aroundPieces(item: Json): Around | undefined {
  if (item.type === 'shell_call') return { before: '{"commands":["', after: '"]}' };
  if (item.type !== 'apply_patch_call') return undefined;
  const { diff: _, ...operation } = asObject(item.operation) ?? {};
  return { before: JSON.stringify({ ...operation, diff: '' }).slice(0, -2), after: '"}' };
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** True for a value without content, such as `{"commands":[]}` or a patch with an empty diff. */
function isEmptyInput(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (Array.isArray(value)) return value.every(isEmptyInput);
  const object = asObject(value);
  if (object === undefined) return false;
  return Object.entries(object).every(([key, entry]) => isEmptyInput(entry) || LABELS.has(key));
}

// What a call's input says beside the input proper.
const LABELS = new Set(['type', 'path']);

function parts(value: unknown): string[] {
  return (asArray(value) ?? []).flatMap((entry) => {
    const part = asObject(entry);
    return asText(part?.text) ?? asText(part?.refusal) ?? [];
  });
}
