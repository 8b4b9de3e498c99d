import { type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import type { Heard, Question, Sdk } from './heard.ts';

const client = (url: string) =>
  new GoogleGenAI({
    apiKey: 'none',
    vertexai: false,
    httpOptions: { baseUrl: url, retryOptions: { attempts: 1 } },
  });

const parameters = ({ model, prompt, maxTokens }: Question) => ({
  model,
  contents: prompt,
  ...(maxTokens === undefined ? {} : { config: { maxOutputTokens: maxTokens } }),
});

/** @google/genai. */
export const gemini: Sdk = {
  name: '@google/genai',
  // Calls are no reason of their own.
  finish: { calls: 'STOP', length: 'MAX_TOKENS' },

  async stream(question) {
    const heard = { text: '', thinking: '', calls: [], pieces: 0 };
    const chunks = await client(question.url).models.generateContentStream(parameters(question));
    for await (const chunk of chunks) add(heard, chunk);
    return heard;
  },

  async whole(question) {
    const heard = { text: '', thinking: '', calls: [], pieces: 0 };
    add(heard, await client(question.url).models.generateContent(parameters(question)));
    return heard;
  },
};

function add(
  heard: Heard & { thinking: string },
  { candidates, usageMetadata }: GenerateContentResponse,
): void {
  const candidate = candidates?.[0];
  for (const part of candidate?.content?.parts ?? []) {
    if (part.functionCall?.name !== undefined)
      heard.calls.push({ name: part.functionCall.name, arguments: part.functionCall.args });
    else if (part.thought) heard.thinking += part.text ?? '';
    else if (part.text) {
      heard.text += part.text;
      heard.pieces++;
    }
  }
  if (candidate?.finishReason !== undefined) heard.finish = candidate.finishReason;
  if (usageMetadata === undefined) return;
  const thoughts = usageMetadata.thoughtsTokenCount ?? 0;
  heard.inputTokens = usageMetadata.promptTokenCount;
  // The candidates' count leaves the thoughts out.
  heard.outputTokens = (usageMetadata.candidatesTokenCount ?? 0) + thoughts;
  heard.reasoningTokens = thoughts;
}
