import type { ServerToolCallEvent, ToolCallEvent } from '../model/events.ts';
import type { Observation } from '../model/record.ts';
import type { ResponseHeaders } from './transport/connection.ts';

/** Those that bear on streaming, and the ids a provider's support asks for. */
const KEPT_HEADERS = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'cache-control',
  'x-accel-buffering',
  'connection',
  'server',
  'via',
  'retry-after',
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
    if (value !== undefined) kept[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return kept;
}

/** As much of a body as is kept to explain a failure: of a stream, and of what is said to be one document. */
const STREAM_BYTES = 2_048;
const DOCUMENT_BYTES = 16_384;

/** The beginning of a body. */
export class BodyPrefix {
  private readonly pieces: Uint8Array[] = [];
  private bytes = 0;
  private total = 0;
  private limit = STREAM_BYTES;

  /** The body is one document, of which more is worth keeping. */
  expectDocument(): void {
    this.limit = DOCUMENT_BYTES;
  }

  /** There was more of the body than is kept. */
  get isCut(): boolean {
    return this.total > this.bytes;
  }

  add(bytes: Uint8Array): void {
    this.total += bytes.byteLength;
    if (this.bytes >= this.limit) return;
    // A copy: the slice would keep the whole socket buffer alive.
    const piece = new Uint8Array(bytes.subarray(0, this.limit - this.bytes));
    this.pieces.push(piece);
    this.bytes += piece.byteLength;
  }

  text(): string {
    return Buffer.concat(this.pieces).toString('utf8');
  }
}

/** Text, reasoning and tool calls together: as many characters are kept. */
const MAX_KEPT_CHARS = 16 * 2 ** 20;

/** The texts of one answer, where they are to be kept. A stream without end is cut: its beginning is kept. */
export class KeptText {
  private readonly keep: boolean;
  private readonly most: number;
  private answer = '';
  private thinking = '';
  private tool = '';
  private chars = 0;

  constructor(keep: boolean, most = MAX_KEPT_CHARS) {
    this.keep = keep;
    this.most = most;
  }

  addAnswer(text: string): void {
    if (this.keep) this.answer += this.room(text);
  }

  addThinking(text: string): void {
    if (this.keep) this.thinking += this.room(text);
  }

  addTool({ name = '', arguments: args }: ToolCallEvent | ServerToolCallEvent): void {
    if (this.keep) this.tool += this.room(`${name}${args}`);
  }

  /** What was taken for the answer was reasoning, but for its last `strip` characters, which are no text. */
  startAnswer(strip: number): void {
    this.thinking += this.answer.slice(0, Math.max(0, this.answer.length - strip));
    this.answer = '';
  }

  /** The fields of an observation. */
  fields(): Pick<Observation, 'text' | 'thinking' | 'toolText' | 'textCut'> {
    return {
      ...(this.keep && { text: this.answer }),
      ...(this.thinking !== '' && { thinking: this.thinking }),
      ...(this.tool !== '' && { toolText: this.tool }),
      ...(this.chars > this.most && { textCut: true as const }),
    };
  }

  /** As much of a text as there is room for. */
  private room(text: string): string {
    this.chars += text.length;
    return this.chars <= this.most
      ? text
      : text.slice(0, Math.max(0, text.length - (this.chars - this.most)));
  }
}
