import type { AnsweredCall, ChatRequest, MediaPart, Message, ToolDefinition } from '../model/request.ts';
import { textOf } from './chat-fields.ts';
import { asArguments, asArray, asCount, asNumber, asObject, asText, type Json } from './json.ts';

// The server's side of `request-parts.ts`: tools, tool results, images and options in the requests of OpenAI's chat completions
// and of Anthropic's Messages. Parts that cannot be read are left out here; a gateway refuses such a request.

const ROLES: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  assistant: 'assistant',
  tool: 'tool',
};

/** The messages of OpenAI's chat completions, and of APIs with the same messages (Cohere, Ollama). */
export function openaiMessages(value: unknown): Message[] | undefined {
  const list = asArray(value);
  if (list === undefined) return undefined;
  const calls = new Calls();
  return list.map((entry): Message => {
    const message = asObject(entry) ?? {};
    const role = ROLES[asText(message.role) ?? ''] ?? 'user';
    const content = textOf(message.content);
    if (role === 'tool') {
      const id = asText(message.tool_call_id);
      return { role, content, call: calls.answered(id, asText(message.tool_name) ?? asText(message.name)) };
    }
    const called = asArray(message.tool_calls)?.map((one) => {
      const fn = asObject(asObject(one)?.function);
      return calls.add(asText(asObject(one)?.id), asText(fn?.name), asArguments(fn?.arguments));
    });
    const images = asArray(message.images)?.flatMap((data) => asText(data) ?? []);
    const media = [
      ...(asArray(message.content) ?? []).flatMap((part) => openaiMedia(asObject(part) ?? {}) ?? []),
      ...(images ?? []).map((data): MediaPart => ({ kind: 'image', mediaType: imageType(data), data })),
    ];
    return withParts({ role, content }, called, media);
  });
}

/** The messages of Anthropic's Messages. A message with results of tools is one message for each result. */
export function readAnthropicMessages(value: unknown): Message[] | undefined {
  const list = asArray(value);
  if (list === undefined) return undefined;
  const calls = new Calls();
  return list.flatMap((entry): Message[] => {
    const message = asObject(entry) ?? {};
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const blocks = (asArray(message.content) ?? []).map((block) => asObject(block) ?? {});
    const of = (type: string) => blocks.filter((block) => block.type === type);
    const results = of('tool_result').map((block): Message => {
      return {
        role: 'tool',
        content: textOf(block.content),
        call: calls.answered(asText(block.tool_use_id)),
      };
    });
    const called = of('tool_use').map((block) =>
      calls.add(asText(block.id), asText(block.name), asArguments(block.input ?? {})),
    );
    const media = of('image').flatMap((block): MediaPart[] => {
      const source = asObject(block.source);
      const [mediaType, data] = [asText(source?.media_type), asText(source?.data)];
      return mediaType === undefined || data === undefined ? [] : [{ kind: 'image', mediaType, data }];
    });
    const content = typeof message.content === 'string' ? message.content : textOf(of('text'));
    // Results without a text are not followed by an empty message.
    if (results.length > 0 && content === '' && media.length === 0) return results;
    return [...results, withParts({ role, content }, called.length > 0 ? called : undefined, media)];
  });
}

function withParts(message: Message, toolCalls: AnsweredCall[] | undefined, media: MediaPart[]): Message {
  if (toolCalls !== undefined) message.toolCalls = toolCalls;
  if (media.length > 0) message.media = media;
  return message;
}

/** The calls of a conversation, for the results that name them by their id or by their order. */
class Calls {
  private readonly byId = new Map<string, AnsweredCall>();
  private readonly unanswered: AnsweredCall[] = [];

  add(id = `call_${this.byId.size}`, name = '', args = ''): AnsweredCall {
    const call = { id, name, arguments: args };
    this.byId.set(id, call);
    this.unanswered.push(call);
    return call;
  }

  answered(id: string | undefined, name?: string): AnsweredCall {
    const byOrder = this.unanswered.findIndex((call) => name === undefined || call.name === name);
    const call = id === undefined ? this.unanswered.splice(Math.max(0, byOrder), 1)[0] : this.byId.get(id);
    return call ?? { id: id ?? 'call', name: name ?? '', arguments: '{}' };
  }
}

function openaiMedia(part: Json): MediaPart | undefined {
  const [, mediaType, data] =
    /^data:([\w.+/-]+);base64,(.*)$/s.exec(asText(asObject(part.image_url)?.url ?? part.image_url) ?? '') ??
    [];
  if (mediaType !== undefined && data !== undefined) return { kind: 'image', mediaType, data };
  const audio = asObject(part.input_audio);
  const [sound, format] = [asText(audio?.data), asText(audio?.format)];
  if (sound === undefined || format === undefined) return undefined;
  return { kind: 'audio', mediaType: format === 'mp3' ? 'audio/mpeg' : `audio/${format}`, data: sound };
}

/** The type of an image, by the first bytes of its base64: Ollama's requests have no types. */
function imageType(data: string): string {
  if (data.startsWith('/9j/')) return 'image/jpeg';
  if (data.startsWith('R0lGOD')) return 'image/gif';
  return data.startsWith('UklGR') ? 'image/webp' : 'image/png';
}

/** Tools of OpenAI's chat completions, of Ollama and Cohere. */
export function readFunctionTools(value: unknown): ToolDefinition[] | undefined {
  return readTools(value, (tool) => asObject(tool.function), 'parameters');
}

/** Tools of Anthropic's Messages. Those that Anthropic runs have no schema, and are not read. */
function readAnthropicTools(value: unknown): ToolDefinition[] | undefined {
  return readTools(value, (tool) => tool, 'input_schema');
}

function readTools(
  value: unknown,
  of: (tool: Json) => Json | undefined,
  key: string,
): ToolDefinition[] | undefined {
  const tools = asArray(value)?.flatMap((entry): ToolDefinition[] => {
    const fields = of(asObject(entry) ?? {});
    const [name, parameters] = [asText(fields?.name), asObject(fields?.[key])];
    if (name === undefined || (parameters === undefined && key === 'input_schema')) return [];
    return [{ name, description: asText(fields?.description), parameters: parameters ?? {} }];
  });
  return tools === undefined || tools.length === 0 ? undefined : tools;
}

/** The options of OpenAI's chat completions beside those of `commonFields`. */
export function readChatOptions(json: Json): Partial<ChatRequest> {
  const format = asObject(json.response_format);
  const schema = asObject(format?.json_schema);
  return {
    tools: readFunctionTools(json.tools),
    answerSchema: schema && { name: asText(schema.name) ?? 'answer', schema: asObject(schema.schema) ?? {} },
    stop: readTexts(json.stop),
    n: asCount(json.n),
    seed: asNumber(json.seed),
    reasoningEffort: readEffort(json.reasoning_effort),
  };
}

/** The options of Anthropic's Messages beside those of `commonFields`. */
export function readAnthropicOptions(json: Json): Partial<ChatRequest> {
  const config = asObject(json.output_config);
  const schema = asObject(asObject(config?.format)?.schema);
  const isOff = asObject(json.thinking)?.type === 'disabled';
  return {
    tools: readAnthropicTools(json.tools),
    answerSchema: schema && { name: 'answer', schema },
    stop: readTexts(json.stop_sequences),
    reasoningEffort: isOff ? 'none' : readEffort(config?.effort),
  };
}

function readTexts(value: unknown): string[] | undefined {
  const texts = typeof value === 'string' ? [value] : asArray(value)?.flatMap((text) => asText(text) ?? []);
  return texts === undefined || texts.length === 0 ? undefined : texts;
}

function readEffort(value: unknown): ChatRequest['reasoningEffort'] {
  return value === 'none' || value === 'low' || value === 'medium' || value === 'high' ? value : undefined;
}
