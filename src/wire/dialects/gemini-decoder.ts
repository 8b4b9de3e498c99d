import type { StreamEvent } from '../../model/events.ts';
import type { FinishWords } from '../chat-fields.ts';
import { PartialArguments } from './gemini-arguments.ts';
import { asArguments, asArray, asObject, asText, type Json, jsonText } from '../json.ts';
import { JsonDecoder } from '../json-decoder.ts';

/** Gemini's words for a finish. */
export const GEMINI_FINISH: FinishWords = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  LANGUAGE: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  MODEL_ARMOR: 'content_filter',
  MALFORMED_FUNCTION_CALL: 'error',
  UNEXPECTED_TOOL_CALL: 'error',
  OTHER: 'other',
};

// The numbers of the enums, from 1; 0 is "unspecified". From 6 on the Gemini API and Vertex number differently: where they
// agree on what it comes to, that is named, and other numbers are passed on as they are.
const FINISH_NUMBERS: readonly string[] = [
  ...['', 'STOP', 'MAX_TOKENS', 'SAFETY', 'RECITATION', 'OTHER'],
  ...['BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII'],
];
const BLOCK_NUMBERS: readonly string[] = ['', 'SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT'];

/** Reads the chunks of a stream, and a whole answer, which is one chunk. */
export class GeminiDecoder extends JsonDecoder {
  /** The prompt was refused: the finish is the reason for that. */
  private blocked = false;
  private partial: { index: number; args: PartialArguments } | undefined;

  constructor() {
    super(GEMINI_FINISH, true);
  }

  protected read(json: Json, out: StreamEvent[]): boolean {
    const candidates = asArray(json.candidates);
    const feedback = asObject(json.promptFeedback);
    const usage = asObject(json.usageMetadata);
    if (candidates === undefined && feedback === undefined && usage === undefined) return false;
    this.start(out, asText(json.responseId), asText(json.modelVersion));
    for (const entry of candidates ?? []) {
      const candidate = asObject(entry);
      if (candidate === undefined) continue;
      if (candidate.index !== undefined && candidate.index !== 0) {
        out.push({ type: 'unknown', name: 'candidate', data: jsonText(candidate) });
        continue;
      }
      for (const part of asArray(asObject(candidate.content)?.parts) ?? [])
        this.part(asObject(part) ?? {}, out);
      this.finish = enumWord(candidate.finishReason, FINISH_NUMBERS) ?? this.finish;
    }
    const blocked = enumWord(feedback?.blockReason, BLOCK_NUMBERS);
    if (blocked !== undefined && this.finish === undefined) {
      this.finish = blocked;
      this.blocked = true;
    }
    if (usage !== undefined) this.usage(usage);
    return true;
  }

  protected override complete(out: StreamEvent[]): void {
    super.complete(out);
    const last = out.at(-1);
    if (this.blocked && last?.type === 'complete') last.finish = 'content_filter';
  }

  private part(part: Json, out: StreamEvent[]): void {
    const call = asObject(part.functionCall);
    if (call !== undefined) {
      this.functionCall(call, out);
      return;
    }
    if (typeof part.text === 'string') {
      if (part.thought === true) this.thinking(out, part.text);
      else this.text(out, part.text);
      return;
    }
    const inline = asObject(part.inlineData);
    if (inline !== undefined) {
      this.media(out, undefined, inline.data, inline.mimeType);
      return;
    }
    const file = asObject(part.fileData);
    if (file !== undefined) {
      this.media(out, undefined, file.fileUri, file.mimeType);
      return;
    }
    const code = asObject(part.executableCode);
    if (code !== undefined) {
      this.serverCall(out, 'code_execution', undefined, asText(code.code));
      return;
    }
    const kind = Object.keys(part).find((key) => key !== 'thought' && key !== 'thoughtSignature');
    if (kind !== undefined) out.push({ type: 'unknown', name: kind, data: jsonText(part) });
  }

  // A call comes whole, or on request in pieces: a name, then values by their path, then an empty piece.
  private functionCall(call: Json, out: StreamEvent[]): void {
    const open = this.partial;
    const name = asText(call.name);
    const partial = asArray(call.partialArgs);
    if (open === undefined || name !== undefined) {
      const more = call.willContinue === true || partial !== undefined;
      const args = more ? '' : asArguments(call.args ?? {});
      const index = this.call(out, name, asText(call.id), args);
      this.partial = more ? { index, args: new PartialArguments() } : undefined;
    }
    const current = this.partial;
    if (current === undefined) return;
    for (const piece of partial ?? []) current.args.add(asObject(piece) ?? {});
    if (call.willContinue === true) return;
    out.push({ type: 'tool_call', index: current.index, arguments: current.args.text() });
    this.partial = undefined;
  }

  private usage(usage: Json): void {
    this.count({
      inputTokens: usage.promptTokenCount,
      outputTokens: usage.candidatesTokenCount,
      reasoningTokens: usage.thoughtsTokenCount,
      reasoningOutside: true,
      cachedInputTokens: usage.cachedContentTokenCount,
    });
  }
}

/** The word for a finish or a block; servers asked for `enum-encoding=int` send its number. */
function enumWord(value: unknown, words: readonly string[]): string | undefined {
  if (typeof value !== 'number') return asText(value);
  return value === 0 ? undefined : (words[value] ?? String(value));
}
