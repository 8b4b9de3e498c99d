import { isPlainDialect } from '../model/plan.ts';
import type { Dialect } from './dialect.ts';
import { Pieces } from './framing/buffers.ts';
import { FRAMINGS } from './framing/framings.ts';
import { parseJson } from './json.ts';

/** Properties of a stream's raw bytes that its decoded events do not show. */
export interface WireFacts {
  /**
   * True if the dialect's terminator arrived. Undefined if the dialect has none: the end of the body is then the regular
   * end.
   */
  terminated?: boolean;
  /** Things that simple parsers of Server-Sent Events fail on, each as a short text with a count. */
  oddities: readonly string[];
}

/** Inspects the raw bytes of one stream, in bounded memory. */
export interface WireInspector {
  push(chunk: Uint8Array): void;
  /** The stream has ended. */
  end(): WireFacts;
}

/** An inspector for one stream of this dialect. It decodes the stream a second time, so it is not for measured paths. */
export function inspector(dialect: Dialect): WireInspector {
  const decoder = dialect.decoder();
  let terminated = false;
  const parser = FRAMINGS[dialect.framing].parser({
    frame(frame) {
      if (decoder.decode(frame).some(({ type }) => type === 'complete')) terminated = true;
    },
    comment() {},
  });
  const lines = dialect.framing === 'sse' ? new SseLines() : undefined;
  return {
    push(chunk) {
      parser.push(chunk);
      lines?.push(chunk);
    },
    end() {
      parser.end();
      const oddities = lines?.end() ?? [];
      return hasTerminator(dialect) ? { terminated, oddities } : { oddities };
    },
  };
}

/** True if a stream of this dialect ends with a terminator, before its body ends. */
function hasTerminator(dialect: Dialect): boolean {
  // A plain endpoint may send one, but does not have to.
  if (isPlainDialect(dialect.name)) return false;
  const encode = dialect.encoder({ id: 'x', model: 'x', createdSeconds: 0 });
  const decoder = dialect.decoder();
  const answer = [
    { type: 'message_chunk', text: 'x' },
    { type: 'complete', finish: 'stop' },
  ] as const;
  return answer
    .flatMap((event) => encode(event))
    .flatMap((frame) => decoder.decode(frame))
    .some(({ type }) => type === 'complete');
}

// A CR at the end of what was read may be half of a CRLF.
const LINE_END = /\r\n|\n|\r(?!$)/g;
const FIELDS = new Set(['data', 'event', 'id', 'retry']);

/** Counts irregularities in the lines of an event stream. An SSE parser would hide them. */
class SseLines {
  private readonly utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  /** The unfinished line. */
  private readonly open = new Pieces();
  private first = true;
  private marked = false;
  private readonly ends = { LF: 0, CRLF: 0, CR: 0 };
  private data: string[] = [];
  private dataLines = 0;
  private unspaced = 0;
  private empty = 0;
  private multiple = 0;
  private several = 0;
  private stray = 0;

  push(chunk: Uint8Array): void {
    this.take(this.utf8.decode(chunk, { stream: true }));
  }

  end(): string[] {
    this.take(this.utf8.decode());
    const rest = this.open.take();
    if (rest.endsWith('\r')) this.line(rest.slice(0, -1), '\r');
    else if (rest !== '') this.line(rest, '');
    const open = this.data.length > 0;
    if (open) this.dispatch();
    return this.found(open);
  }

  private take(text: string): void {
    if (text.indexOf('\n') === -1 && text.indexOf('\r') === -1) {
      this.open.add(text);
      return;
    }
    const lines = this.open.take() + text;
    let from = 0;
    for (const match of lines.matchAll(LINE_END)) {
      this.line(lines.slice(from, match.index), match[0]);
      from = match.index + match[0].length;
    }
    this.open.add(lines.slice(from));
  }

  private line(written: string, end: string): void {
    if (end !== '') this.ends[end === '\n' ? 'LF' : end === '\r' ? 'CR' : 'CRLF']++;
    this.marked ||= this.first && written.startsWith('\uFEFF');
    const line = this.first ? written.replace(/^\uFEFF/, '') : written;
    this.first = false;
    if (line === '') {
      if (this.data.length > 0) this.dispatch();
      return;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    if (field === 'data') {
      const value = colon === -1 ? '' : line.slice(colon + 1);
      this.dataLines++;
      if (value !== '' && !value.startsWith(' ')) this.unspaced++;
      this.data.push(value.replace(/^ /, ''));
    } else if (colon !== 0 && !FIELDS.has(field)) this.stray++;
  }

  private dispatch(): void {
    const lines = this.data.splice(0);
    const joined = lines.join('\n');
    if (joined === '') this.empty++;
    // Several data lines are normal for text, but unusual for JSON.
    if (!/^[[{]/.test(joined)) return;
    if (lines.length > 1) this.multiple++;
    if (parseJson(joined) !== undefined) return;
    if (joined.includes('}{') || (lines.length > 1 && lines.every((line) => parseJson(line) !== undefined)))
      this.several++;
  }

  private found(open: boolean): string[] {
    const { ends, unspaced, dataLines, empty, multiple, several, stray } = this;
    const kinds = Object.entries(ends).filter(([, count]) => count > 0);
    const [[only] = []] = kinds.length === 1 ? kinds : [];
    const findings: [unknown, string][] = [
      [open, 'the last event has no blank line after it'],
      [stray, `${times(stray, 'line')} without a field name of event streams`],
      [kinds.length > 1, `mixed line ends: ${kinds.map(([name, count]) => `${count} ${name}`).join(', ')}`],
      [only !== undefined && only !== 'LF', `lines end with ${only}`],
      [unspaced, `no space after "data:" in ${unspaced} of ${times(dataLines, 'line')}`],
      [several, `${times(several, 'event')} with several JSON documents`],
      [multiple - several > 0, `${times(multiple - several, 'event')} with JSON over several data: lines`],
      [empty, `${times(empty, 'event')} without data`],
      [this.marked, 'a byte order mark at the beginning'],
    ];
    return findings.filter(([applies]) => applies).map(([, text]) => text);
  }
}

function times(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
