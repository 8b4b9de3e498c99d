import { sniff } from '../client/outcome/sniff.ts';
import type { Mode } from '../model/record.ts';
import type { Dialect } from '../wire/dialect.ts';
import { dialectOfUrl, getDialect } from '../wire/dialects/index.ts';
import { recogniseStream, recogniseWhole } from '../wire/recognise.ts';
import type { Asked } from './seen-request.ts';

/** How a response is read. */
export interface Reading {
  dialect: Dialect;
  mode: Mode;
}

/** What is known of a response so far. */
export interface ResponseFacts {
  url: string;
  asked: Asked;
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** The beginning of the body. */
  prefix: string;
  /** No more of the body will come. */
  ended: boolean;
}

/** With this much of a body, in characters, the decision is made: more would be kept for nothing. */
const ENOUGH_OF_STREAM = 4_096;
const ENOUGH_OF_DOCUMENT = 65_536;
/** Fewer characters may be the beginning of anything. */
const LEAST = 8;
/** Paths whose dialects are remembered. */
const MAX_REMEMBERED = 200;

/**
 * Decides in which dialect a response is read: by the URL, the headers and the first events. Trying all dialects takes a
 * millisecond, so the result is remembered for each path.
 */
export class Recognition {
  private readonly given: Dialect | undefined;
  private readonly known = new Map<string, Reading>();

  /** `dialect`: the name of the dialect of all responses. Throws a `UserError` if it is unknown. Default: it is recognised. */
  constructor(dialect: string | undefined) {
    this.given = dialect === undefined ? undefined : getDialect(dialect);
  }

  /** The decision; undefined if more of the body is needed. */
  decide(facts: ResponseFacts): Reading | undefined {
    const { asked, status } = facts;
    if (this.given !== undefined) return { dialect: this.given, mode: givenMode(this.given, facts) };
    const key = keyOf(facts);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const own = dialectOfUrl(facts.url);
    if (status >= 300 || (facts.ended && facts.prefix === '')) {
      return { dialect: getDialect(own ?? 'raw'), mode: modeOf(asked.stream ?? own === undefined) };
    }
    const found = recognise(facts, own);
    if (found === undefined) return undefined;
    const reading = { dialect: getDialect(found.dialect), mode: found.mode };
    if (this.known.size >= MAX_REMEMBERED) this.known.clear();
    this.known.set(key, reading);
    return reading;
  }

  /** The dialect did not read the response: it is recognised anew next time. */
  forget(facts: ResponseFacts): void {
    this.known.delete(keyOf(facts));
  }
}

function keyOf({ url, headers, asked }: ResponseFacts): string {
  return `${url.replace(/[?#].*$/s, '')} ${headers['content-type'] ?? ''} ${asked.stream}`;
}

function modeOf(stream: boolean): Mode {
  return stream ? 'streaming' : 'non-streaming';
}

function givenMode({ framing }: Dialect, { asked, headers }: ResponseFacts): Mode {
  const isDocument = /^application\/json\b/.test(headers['content-type'] ?? '') && framing !== 'json-array';
  return modeOf(asked.stream ?? !isDocument);
}

function recognise(
  facts: ResponseFacts,
  own: string | undefined,
): { dialect: string; mode: Mode } | undefined {
  const { prefix, headers, asked, ended } = facts;
  if (prefix.length < LEAST && !ended) return undefined;
  const look = sniff(prefix, headers['content-type'] ?? '');
  const framing = own === undefined ? undefined : getDialect(own).framing;
  switch (look) {
    case 'sse':
    case 'ndjson':
      return streamOf(facts, own ?? look, framing === look);
    case 'event-stream-binary':
      return { dialect: own ?? 'bedrock-converse', mode: 'streaming' };
    case 'json':
      if (own === 'gemini' && prefix.trimStart().startsWith('[')) {
        return { dialect: 'gemini-array', mode: 'streaming' };
      }
      // The first line of a stream is a document too.
      if (framing === 'ndjson' && asked.stream !== false) return { dialect: own!, mode: 'streaming' };
      return documentOf(facts, own);
    case 'html':
    case 'xml':
    case 'gzip':
    case 'binary':
    case 'text':
    case 'nothing':
      return { dialect: own ?? 'raw', mode: modeOf(asked.stream ?? own === undefined) };
    default:
      return look satisfies never;
  }
}

/** A stream of events. `own`: the dialect to assume where no other is recognised. */
function streamOf(
  { prefix, headers, ended }: ResponseFacts,
  own: string,
  isOwnFraming: boolean,
): { dialect: string; mode: Mode } | undefined {
  const isEnough = ended || prefix.length >= ENOUGH_OF_STREAM;
  const found = recogniseStream(prefix, headers, own);
  if (found === 'own') return { dialect: own, mode: 'streaming' };
  if (!isEnough && (found === undefined || found.byStart)) return undefined;
  const byUrl = isOwnFraming ? own : undefined;
  return { dialect: found?.dialect ?? byUrl ?? plainOf(own, prefix), mode: 'streaming' };
}

function plainOf(own: string, prefix: string): string {
  return own === 'sse' || own === 'ndjson' ? own : sniff(prefix, '') === 'ndjson' ? 'ndjson' : 'sse';
}

function documentOf(
  { prefix, asked, ended }: ResponseFacts,
  own: string | undefined,
): { dialect: string; mode: Mode } | undefined {
  // A document where a stream was requested is an outcome of its own.
  if (own !== undefined) return { dialect: own, mode: modeOf(asked.stream === true) };
  if (!ended && prefix.length < ENOUGH_OF_DOCUMENT) return undefined;
  const whole = recogniseWhole(prefix);
  return whole ? { dialect: whole.dialect, mode: 'non-streaming' } : { dialect: 'raw', mode: 'streaming' };
}
