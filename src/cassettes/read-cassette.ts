import { UserError } from '../model/errors.ts';
import { isObject, parseObject } from '../model/json-object.ts';
import {
  CASSETTE_SCHEMA,
  type Cassette,
  END_KINDS,
  type RecordedEnd,
  type RecordedExchange,
  type RecordedRead,
  type RecordedRequest,
  type RecordedResponse,
} from './cassette.ts';

/** Reads the text of a cassette file. Throws a `UserError` (`cassette_invalid`) with the line; `file` is its name there. */
export function readCassette(text: string, file: string): Cassette {
  const lines = text.split('\n');
  const invalid = (line: number, message: string, hint = RECORD_AGAIN) =>
    new UserError('cassette_invalid', { message, place: { file, line }, hint });
  if (text.trim() === '') {
    throw new UserError('cassette_invalid', {
      message: 'the cassette is empty',
      place: { file },
      hint: RECORD_AGAIN,
    });
  }
  const { schema, program, recordedAt, exchanges: announced } = parseObject(lines[0] ?? '') ?? {};
  if (schema !== CASSETTE_SCHEMA) {
    const isOther = typeof schema === 'string' && schema.startsWith('streambench/cassette@');
    throw isOther
      ? invalid(1, `written with ${schema}, but this streambench reads ${CASSETTE_SCHEMA}`)
      : invalid(1, 'this file is not a cassette', 'give a file that streambench record wrote');
  }
  const exchanges: RecordedExchange[] = [];
  let open: OpenExchange | undefined;
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const value = parseObject(line);
    const wrong = value === undefined ? 'this line is not a JSON object' : undefined;
    const added: Added = wrong ?? (open === undefined ? begin(value ?? {}) : add(open, value ?? {}));
    if (typeof added === 'string') {
      const isLast = lines.slice(index + 1).every((rest) => rest.trim() === '');
      throw invalid(index + 1, isLast && wrong !== undefined ? 'the cassette was cut off here' : added);
    }
    open = added;
    if (open.end === undefined) continue;
    const { request, response, reads, end } = open;
    exchanges.push({ request, response, reads, end });
    open = undefined;
  }
  if (open !== undefined || exchanges.length !== announced) {
    const found = `it contains ${exchanges.length} of ${String(announced)} exchanges`;
    throw invalid(lines.length, `the cassette was cut off: ${found}`);
  }
  return { program: String(program), recordedAt: String(recordedAt), exchanges };
}

const RECORD_AGAIN = 'record it again: streambench record URL -o FILE --force';

interface OpenExchange {
  request: RecordedRequest;
  response?: RecordedResponse;
  reads: RecordedRead[];
  end?: RecordedEnd;
}

/** The exchange with a line added, or why the line is invalid. */
type Added = OpenExchange | string;

function begin({ request }: Json): Added {
  if (!isObject(request)) return 'expected a request here';
  const { method, origin, path, headers, body, dialect, textPath, stream } = request;
  const texts = [method, origin, path, dialect].every((value) => typeof value === 'string');
  const valid = texts && isObject(headers) && optionalText(body) && optionalText(textPath);
  if (!valid || typeof stream !== 'boolean') return 'this request is not complete';
  return { request: request as unknown as RecordedRequest, reads: [] };
}

function add(open: OpenExchange, { response, end, atMs, text, base64 }: Json): Added {
  const lastMs = open.reads.at(-1)?.atMs ?? open.response?.atMs ?? 0;
  if (isObject(response)) {
    if (open.response !== undefined) return 'a second response to one request';
    const { status, headers, protocol } = response;
    if (!isTime(response.atMs, 0)) return BAD_TIME;
    if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 999)
      return 'this response has no valid status';
    if (!isObject(headers) || !Object.entries(headers).every(isHeader))
      return 'this response has an invalid header';
    if (typeof protocol !== 'string') return 'this response has no protocol';
    return { ...open, response: response as unknown as RecordedResponse };
  }
  if (isObject(end)) {
    if (!END_KINDS.some((kind) => kind === end.kind)) return 'this exchange has no valid end';
    if (!isTime(end.atMs, lastMs)) return BAD_TIME;
    return { ...open, end: end as unknown as RecordedEnd };
  }
  if (open.response === undefined) return 'expected a response here';
  const bytes =
    typeof text === 'string'
      ? Buffer.from(text)
      : typeof base64 === 'string' && /^[\w+/]*={0,2}$/.test(base64)
        ? Buffer.from(base64, 'base64')
        : undefined;
  if (bytes === undefined) return 'this read has no valid bytes';
  if (!isTime(atMs, lastMs)) return BAD_TIME;
  open.reads.push({ atMs, bytes });
  return open;
}

const BAD_TIME = 'this line has no valid time, or is earlier than the one before';

type Json = Record<string, unknown>;

function optionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function isTime(value: unknown, lastMs: number): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= lastMs;
}

// What a server can be made to send.
function isHeader([name, value]: [string, unknown]): boolean {
  const values = Array.isArray(value) ? value : [value];
  return (
    /^[\w!#$%&'*+.^`|~-]+$/.test(name) &&
    values.every((text) => typeof text === 'string' && !/[\x00-\x08\x0a-\x1f\x7f]/.test(text))
  );
}
