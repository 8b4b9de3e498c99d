import { type ChatResponse, type GenerateResponse, Ollama } from 'ollama';
import type { Heard, Question, Sdk } from './heard.ts';

const optionsOf = ({ maxTokens }: Question) =>
  maxTokens === undefined ? {} : { options: { num_predict: maxTokens } };

/** ollama: chat. */
export const ollamaChat: Sdk = {
  name: 'ollama, chat',
  // Calls are no reason of their own.
  finish: { calls: 'stop', length: 'length' },

  async stream(question) {
    const heard: Heard & { thinking: string } = { text: '', thinking: '', calls: [], pieces: 0 };
    const lines = await new Ollama({ host: question.url }).chat({ ...chatBody(question), stream: true });
    for await (const line of lines) addChat(heard, line);
    return heard;
  },

  async whole(question) {
    const heard: Heard & { thinking: string } = { text: '', thinking: '', calls: [], pieces: 0 };
    addChat(heard, await new Ollama({ host: question.url }).chat(chatBody(question)));
    return heard;
  },
};

const chatBody = (question: Question) => ({
  model: question.model,
  messages: [{ role: 'user', content: question.prompt }],
  ...optionsOf(question),
});

function addChat(heard: Heard & { thinking: string }, { message, ...line }: ChatResponse): void {
  if (message.content !== '') heard.pieces++;
  heard.text += message.content;
  heard.thinking += message.thinking ?? '';
  for (const { function: fn } of message.tool_calls ?? [])
    heard.calls.push({ name: fn.name, arguments: fn.arguments });
  addEnd(heard, line);
}

function addEnd(
  heard: Heard,
  line: Pick<GenerateResponse, 'done' | 'done_reason' | 'prompt_eval_count' | 'eval_count'>,
): void {
  if (!line.done) return;
  heard.finish = line.done_reason;
  heard.inputTokens = line.prompt_eval_count;
  heard.outputTokens = line.eval_count;
}

/** ollama: generate. */
export const ollamaGenerate: Sdk = {
  name: 'ollama, generate',
  finish: { calls: 'stop', length: 'length' },

  async stream(question) {
    const heard: Heard & { thinking: string } = { text: '', thinking: '', calls: [], pieces: 0 };
    const { url, model, prompt } = question;
    const lines = await new Ollama({ host: url }).generate({
      model,
      prompt,
      ...optionsOf(question),
      stream: true,
    });
    for await (const line of lines) addGenerate(heard, line);
    return heard;
  },

  async whole(question) {
    const heard: Heard & { thinking: string } = { text: '', thinking: '', calls: [], pieces: 0 };
    const { url, model, prompt } = question;
    addGenerate(heard, await new Ollama({ host: url }).generate({ model, prompt, ...optionsOf(question) }));
    return heard;
  },
};

function addGenerate(heard: Heard & { thinking: string }, line: GenerateResponse): void {
  if (line.response !== '') heard.pieces++;
  heard.text += line.response;
  heard.thinking += line.thinking ?? '';
  addEnd(heard, line);
}
