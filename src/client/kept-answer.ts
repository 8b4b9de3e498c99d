import { textOfBytes } from '../model/bytes.ts';
import type { ServerToolCallEvent, ToolCallEvent } from '../model/events.ts';
import type { Observation } from '../model/record.ts';
import type { ResponseHeaders } from './transport/connection.ts';

/** Headers that affect streaming, the request ids that a provider's support needs, and the server's clock. */
const KEPT_HEADERS = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'cache-control',
  'x-accel-buffering',
  'connection',
  'server',
  'date',
  'via',
  'retry-after',
  'retry-after-ms',
  'location',
  'allow',
  'x-request-id',
  'request-id',
  'x-vercel-ai-ui-message-stream',
]);

/** The response headers that an observation keeps. */
export function keptHeaders(headers: ResponseHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = headers[name];
    if (value !== undefined) kept[name] = joined(value);
  }
  // A Retry-After may be a date of the server's clock.
  if (kept['retry-after'] !== undefined && headers.date !== undefined) kept.date = joined(headers.date);
  return kept;
}

function joined(value: string | string[]): string {
  return Array.isArray(value) ? value.join(', ') : value;
}

/** How much of a body is kept to explain a failure: of a stream, and of a single document. */
const STREAM_BYTES = 2_048;
const DOCUMENT_BYTES = 16_384;
const NO_BYTES = new Uint8Array();

/** The beginning of a body. */
export class BodyPrefix {
  // One block: memory outside the heap has a cost for each piece, and most reads are small.
  private memory = NO_BYTES;
  private bytes = 0;
  private total = 0;
  private limit = STREAM_BYTES;

  /** The body is one document: more of it is kept. */
  expectDocument(): void {
    this.limit = DOCUMENT_BYTES;
  }

  /** True when the body is longer than what is kept. */
  get isCut(): boolean {
    return this.total > this.bytes;
  }

  /** Keeps a copy: the bytes may be overwritten after the call. */
  add(bytes: Uint8Array): void {
    this.total += bytes.byteLength;
    if (this.bytes >= this.limit) return;
    const piece = bytes.subarray(0, this.limit - this.bytes);
    const size = this.bytes + piece.byteLength;
    if (size > this.memory.byteLength) {
      const memory = new Uint8Array(Math.max(size, 2 * this.memory.byteLength, STREAM_BYTES));
      memory.set(this.memory);
      this.memory = memory;
    }
    this.memory.set(piece, this.bytes);
    this.bytes = size;
  }

  text(): string {
    return textOfBytes(this.memory.subarray(0, this.bytes));
  }
}

/** Maximum number of characters kept of text, reasoning and tool calls together. */
const MAX_KEPT_CHARS = 16 * 2 ** 20;

/** The texts of one answer, if they are kept. Of an endless stream only the beginning is kept. */
export class KeptText {
  private readonly keep: boolean;
  private readonly maxChars: number;
  private answer = '';
  private thinking = '';
  private tool = '';
  private chars = 0;

  constructor(keep: boolean, maxChars = MAX_KEPT_CHARS) {
    this.keep = keep;
    this.maxChars = maxChars;
  }

  addAnswer(text: string): void {
    if (this.keep) this.answer += this.withinLimit(text);
  }

  addThinking(text: string): void {
    if (this.keep) this.thinking += this.withinLimit(text);
  }

  addTool({ name = '', arguments: args }: ToolCallEvent | ServerToolCallEvent): void {
    if (this.keep) this.tool += this.withinLimit(`${name}${args}`);
  }

  /** The text so far was reasoning, not answer, except its last `strip` characters, which are markup. */
  startAnswer(strip: number): void {
    this.thinking += this.answer.slice(0, Math.max(0, this.answer.length - strip));
    this.answer = '';
  }

  /** The fields of an observation. */
  fields(): Pick<Observation, 'text' | 'thinking' | 'toolText' | 'textCut'> {
    return {
      text: this.keep ? this.answer : undefined,
      thinking: this.thinking === '' ? undefined : this.thinking,
      toolText: this.tool === '' ? undefined : this.tool,
      textCut: this.chars > this.maxChars ? true : undefined,
    };
  }

  /** The part of a text that is within the limit. */
  private withinLimit(text: string): string {
    this.chars += text.length;
    return this.chars <= this.maxChars
      ? text
      : text.slice(0, Math.max(0, text.length - (this.chars - this.maxChars)));
  }
}
