import type {
  AnsweredCall,
  AnswerSchema,
  ChatRequest,
  MediaPart,
  Message,
  ReasoningEffort,
  ToolDefinition,
} from '../model/request.ts';
import { unlessEmpty } from './chat-fields.ts';
import { asArray, asObject, type Json, parseJson } from './json.ts';

// Images, recordings, tools and answer schemas in the requests of each API. A field without a value is undefined, so that it is
// omitted. A message without media stays a plain text, which more servers accept than a list of parts.

/** What a request may contain beside text. A dialect lists what its requests can express. */
export const REQUEST_FEATURES = ['image', 'audio', 'tools', 'toolResults', 'schema'] as const;

/** One of `REQUEST_FEATURES`. */
export type RequestFeature = (typeof REQUEST_FEATURES)[number];

/** Fields of a request that some dialects have, and others have not. */
export const REQUEST_OPTIONS = ['maxTokens', 'temperature', 'stop', 'n', 'seed', 'reasoningEffort'] as const;

/** One of `REQUEST_OPTIONS`. */
export type RequestOption = (typeof REQUEST_OPTIONS)[number];

function dataUrl({ mediaType, data }: MediaPart): string {
  return `data:${mediaType};base64,${data}`;
}

/** `png` of `image/png`; `mp3` of `audio/mpeg`. */
function formatOf({ mediaType }: MediaPart): string {
  const name = mediaType.slice(mediaType.indexOf('/') + 1);
  return name === 'mpeg' ? 'mp3' : name;
}

/** The content of a message: its text, or a list of parts with its text last. An empty text is no part. */
function contentOf({ content, media }: Message, text: Json, part: (media: MediaPart) => Json): unknown {
  if (media === undefined) return content;
  return [...media.map(part), ...(content === '' ? [] : [text])];
}

/** The arguments of a call as an object, for APIs that take no JSON text. */
function inputOf({ arguments: text }: AnsweredCall): Json {
  return asObject(parseJson(text)) ?? {};
}

/** Messages in an API where the results of one answer's tool calls are one message, whose `key` is the list of results. */
function withJoinedResults(
  messages: readonly Message[],
  write: (message: Message) => Json,
  key: 'content' | 'parts',
): Json[] {
  const all: Json[] = [];
  for (const [index, message] of messages.entries()) {
    const written = write(message);
    const last = all.at(-1);
    if (message.role === 'tool' && messages[index - 1]?.role === 'tool')
      all[all.length - 1] = {
        ...last,
        [key]: [...(asArray(last?.[key]) ?? []), ...(asArray(written[key]) ?? [])],
      };
    else all.push(written);
  }
  return all;
}

/** A message of OpenAI's chat completions, and of Cohere's chat. */
export function chatMessage(message: Message): Json {
  const { role, content, call, toolCalls } = message;
  if (call !== undefined) return { role, tool_call_id: call.id, content };
  if (toolCalls !== undefined) {
    const calls = toolCalls.map(({ id, name, arguments: args }) => ({
      id,
      type: 'function',
      function: { name, arguments: args },
    }));
    return { role, content: content === '' ? undefined : content, tool_calls: calls };
  }
  const parts = contentOf(message, { type: 'text', text: content }, (media) =>
    media.kind === 'image'
      ? { type: 'image_url', image_url: { url: dataUrl(media) } }
      : { type: 'input_audio', input_audio: { data: media.data, format: formatOf(media) } },
  );
  return { role, content: parts };
}

/** Tools of OpenAI's chat completions, of Ollama and Cohere. */
export function functionTools(tools: readonly ToolDefinition[] | undefined): Json[] | undefined {
  return tools?.map(({ name, description, parameters }) => ({
    type: 'function',
    function: { name, description, parameters },
  }));
}

/** The answer schema of OpenAI's chat completions. */
export function chatFormat(schema: AnswerSchema | undefined): Json | undefined {
  return schema && { type: 'json_schema', json_schema: { ...schema, strict: true } };
}

/** A message of OpenAI's Responses as items. OpenAI accepts messages without a type, other servers of this API do not. */
export function responsesItems(message: Message): Json[] {
  const { role, content, call, toolCalls } = message;
  if (call !== undefined) return [{ type: 'function_call_output', call_id: call.id, output: content }];
  if (toolCalls !== undefined) {
    const said = content === '' ? [] : [{ type: 'message', role, content }];
    const calls = toolCalls.map(({ id, name, arguments: args }) => ({
      type: 'function_call',
      call_id: id,
      name,
      arguments: args,
    }));
    return [...said, ...calls];
  }
  const parts = contentOf(message, { type: 'input_text', text: content }, (media) => ({
    type: 'input_image',
    image_url: dataUrl(media),
  }));
  return [{ type: 'message', role, content: parts }];
}

/** Tools and answer schema of OpenAI's Responses. */
export function responsesFields({ tools, answerSchema }: ChatRequest): Json {
  return {
    tools: tools?.map(({ name, description, parameters }) => ({
      type: 'function',
      name,
      description,
      parameters,
      strict: false,
    })),
    text: answerSchema && { format: { type: 'json_schema', ...answerSchema, strict: true } },
  };
}

/** The messages of Anthropic's Messages, without system messages. */
export function anthropicMessages(messages: readonly Message[]): Json[] {
  return withJoinedResults(messages, anthropicMessage, 'content');
}

function anthropicMessage(message: Message): Json {
  const { role, content, call, toolCalls } = message;
  if (call !== undefined) {
    return { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content }] };
  }
  if (toolCalls !== undefined) {
    const said = content === '' ? [] : [{ type: 'text', text: content }];
    const calls = toolCalls.map((one) => ({
      type: 'tool_use',
      id: one.id,
      name: one.name,
      input: inputOf(one),
    }));
    return { role, content: [...said, ...calls] };
  }
  const parts = contentOf(message, { type: 'text', text: content }, ({ mediaType, data }) => ({
    type: 'image',
    source: { type: 'base64', media_type: mediaType, data },
  }));
  return { role, content: parts };
}

/** Tools, answer schema and reasoning effort of Anthropic's Messages. */
export function anthropicFields({ tools, answerSchema, reasoningEffort: effort }: ChatRequest): Json {
  const format = answerSchema && { type: 'json_schema', schema: answerSchema.schema };
  return {
    tools: tools?.map(({ name, description, parameters }) => ({
      name,
      description,
      input_schema: parameters,
    })),
    output_config: unlessEmpty({ format, effort: effort === 'none' ? undefined : effort }),
    thinking: effort === 'none' ? { type: 'disabled' } : undefined,
  };
}

/** The messages of Gemini, without system messages. */
export function geminiContents(messages: readonly Message[]): Json[] {
  return withJoinedResults(messages, geminiContent, 'parts');
}

function geminiContent(message: Message): Json {
  const { role, content, media = [], call, toolCalls = [] } = message;
  if (call !== undefined) {
    const response = { name: call.name, response: asObject(parseJson(content)) ?? { result: content } };
    return { role: 'user', parts: [{ functionResponse: response }] };
  }
  const calls = toolCalls.map((one) => ({ functionCall: { name: one.name, args: inputOf(one) } }));
  const inline = media.map(({ mediaType, data }) => ({ inlineData: { mimeType: mediaType, data } }));
  const text = content === '' && inline.length + calls.length > 0 ? [] : [{ text: content }];
  return { role: role === 'assistant' ? 'model' : 'user', parts: [...inline, ...text, ...calls] };
}

/** Tools of Gemini. */
export function geminiTools(tools: readonly ToolDefinition[] | undefined): Json[] | undefined {
  const functionDeclarations = tools?.map(({ name, description, parameters }) => ({
    name,
    description,
    parametersJsonSchema: parameters,
  }));
  return functionDeclarations && [{ functionDeclarations }];
}

/** The answer schema in Gemini's `generationConfig`. */
export function geminiFormat(schema: AnswerSchema | undefined): Json {
  return { responseMimeType: schema && 'application/json', responseJsonSchema: schema?.schema };
}

/** The reasoning effort in Gemini's `generationConfig`. Models before Gemini 3 have no levels, only a budget in tokens. */
export function geminiThinking(effort: ReasoningEffort | undefined): Json | undefined {
  if (effort === 'none') return { thinkingBudget: 0 };
  return effort && { thinkingLevel: effort.toUpperCase() };
}

/** A message of Ollama's chat. */
export function ollamaMessage({ role, content, media, call, toolCalls }: Message): Json {
  return {
    role,
    content,
    images: media?.map(({ data }) => data),
    tool_name: call?.name,
    tool_calls: toolCalls?.map((one) => ({ function: { name: one.name, arguments: inputOf(one) } })),
  };
}

/** The messages of Bedrock's Converse, without system messages. */
export function bedrockMessages(messages: readonly Message[]): Json[] {
  return withJoinedResults(messages, bedrockMessage, 'content');
}

function bedrockMessage({ role, content, media = [], call, toolCalls = [] }: Message): Json {
  if (call !== undefined) {
    const toolResult = { toolUseId: call.id, content: [{ text: content }] };
    return { role: 'user', content: [{ toolResult }] };
  }
  const calls = toolCalls.map((one) => ({
    toolUse: { toolUseId: one.id, name: one.name, input: inputOf(one) },
  }));
  const images = media.map((part) => ({ image: { format: formatOf(part), source: { bytes: part.data } } }));
  const text = content === '' && images.length + calls.length > 0 ? [] : [{ text: content }];
  return { role, content: [...images, ...text, ...calls] };
}

/** Tools of Bedrock's Converse. */
export function bedrockTools(tools: readonly ToolDefinition[] | undefined): Json | undefined {
  return (
    tools && {
      tools: tools.map(({ name, description, parameters }) => ({
        toolSpec: { name, description, inputSchema: { json: parameters } },
      })),
    }
  );
}
