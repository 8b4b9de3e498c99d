import { awsMessage, family } from '../families.ts';
import { type Fault, type FaultGroup, fails, type Step } from '../fault.ts';
import { chunk, event, head, LAST } from '../http.ts';

/** An error inside a stream that began well: after the first content, or in place of all of it. */
function inband(
  dialect: string,
  name: string,
  error: string | Buffer,
  message: string,
  kind: 'inband_error' | 'rate_limited' = 'inband_error',
  from: 'content' | 'start' = 'content',
): Fault {
  const { contentType, open, content } = family(dialect);
  const before = from === 'content' ? [open, content[0]].filter((piece) => piece.length > 0) : [];
  const answer: Step[] = [head(contentType), ...before.map((piece) => chunk(piece)), chunk(error), LAST];
  const where = from === 'content' ? 'after content' : 'in place of content';
  return {
    name: `${dialect}: ${name} ${where}`,
    server: `sends ${name} ${where}`,
    dialect,
    answer,
    expect: fails(kind, message),
  };
}

const named = (name: string, data: unknown) => `event: ${name}\n${event(data)}`;
const awsError = (type: string, message: string) =>
  awsMessage(
    { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' },
    JSON.stringify({ message }),
  );

/** Failures that are told inside a response with status 200. */
export const IN_BAND: FaultGroup = {
  title: 'Errors inside a stream',
  faults: [
    inband(
      'openai-chat',
      'an error object',
      event({ error: { message: 'The server had an error', type: 'server_error', code: null } }),
      'The server had an error',
    ),
    inband(
      'openai-chat',
      'an error object',
      event({ error: { message: 'The server had an error' } }),
      'The server had an error',
      'inband_error',
      'start',
    ),
    inband('openai-chat', 'an error of text', event({ error: 'boom' }), 'boom'),
    inband('openai-chat', 'an error event', 'event: error\ndata: {"message":"boom"}\n\n', 'boom'),
    inband(
      'openai-chat',
      'an error event of text',
      'event: error\ndata: upstream failed\n\n',
      'upstream failed',
    ),
    inband('openai-chat', 'an error line', 'error: {"message":"boom"}\n\n', 'boom'),
    inband('openai-chat', 'a bare line of JSON', '{"error":{"message":"boom"}}\n\n', 'boom'),
    inband(
      'openai-chat',
      'a rate limit',
      event({
        error: { message: 'Rate limit reached', type: 'rate_limit_error', code: 'rate_limit_exceeded' },
      }),
      'Rate limit reached',
      'rate_limited',
    ),
    inband(
      'openai-chat',
      "vLLM's error object",
      event({ object: 'error', message: 'engine died', type: 'InternalServerError', code: 500 }),
      'engine died',
    ),
    inband(
      'openai-chat',
      "OpenRouter's error beside choices",
      event({
        id: 'c1',
        error: { code: 502, message: 'Provider returned error', metadata: { raw: 'upstream timed out' } },
        choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }],
      }),
      'Provider returned error',
    ),
    inband(
      'openai-chat',
      "MiniMax's base_resp",
      event({ base_resp: { status_code: 1004, status_msg: 'login fail' }, choices: [] }),
      'login fail',
    ),
    inband(
      'openai-chat',
      "Zhipu's code",
      event({ error: { code: '1301', message: '系统检测到输入或生成内容可能包含不安全或敏感内容' } }),
      '系统检测到',
    ),
    inband('openai-chat', 'an error without words', event({ error: {}, code: 500 }), '500'),
    inband('openai-chat', 'an error of 1 MiB', event({ error: { message: 'a'.repeat(1 << 20) } }), 'aaaa'),
    inband('openai-completions', 'an error object', event({ error: { message: 'boom', code: 500 } }), 'boom'),
    inband(
      'openai-responses',
      'response.failed',
      named('response.failed', {
        type: 'response.failed',
        response: {
          id: 'r1',
          status: 'failed',
          error: { code: 'server_error', message: 'The model failed' },
        },
      }),
      'The model failed',
    ),
    inband(
      'openai-responses',
      'an error event',
      named('error', { type: 'error', code: 'server_error', message: 'boom', param: null }),
      'boom',
    ),
    inband(
      'openai-responses',
      'a rate limit',
      named('error', { type: 'error', code: 'rate_limit_exceeded', message: 'slow down', param: null }),
      'slow down',
      'rate_limited',
    ),
    inband(
      'anthropic',
      'overloaded_error',
      named('error', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
      'Overloaded',
    ),
    inband(
      'anthropic',
      'overloaded_error',
      named('error', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
      'Overloaded',
      'inband_error',
      'start',
    ),
    inband(
      'anthropic',
      'rate_limit_error',
      named('error', {
        type: 'error',
        error: { type: 'rate_limit_error', message: 'Number of requests exceeded' },
      }),
      'Number of requests',
      'rate_limited',
    ),
    inband(
      'anthropic',
      'api_error',
      named('error', { type: 'error', error: { type: 'api_error', message: 'Internal server error' } }),
      'Internal server error',
    ),
    inband(
      'gemini',
      'an error object',
      event({ error: { code: 500, message: 'An internal error has occurred', status: 'INTERNAL' } }),
      'An internal error',
    ),
    inband(
      'gemini',
      'RESOURCE_EXHAUSTED',
      event({ error: { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED' } }),
      'Quota exceeded',
      'rate_limited',
    ),
    inband(
      'gemini-array',
      'an error object',
      `,\r\n${JSON.stringify({ error: { code: 503, message: 'The model is overloaded', status: 'UNAVAILABLE' } })}]`,
      'The model is overloaded',
    ),
    inband(
      'cohere',
      'an error finish',
      named('message-end', { type: 'message-end', delta: { finish_reason: 'ERROR', error: 'model failed' } }),
      'model failed',
    ),
    inband(
      'tgi',
      'an error object',
      event({ error: 'Request failed during generation', error_type: 'generation' }),
      'Request failed during generation',
    ),
    inband(
      'tgi',
      'overloaded',
      event({ error: 'Model is overloaded', error_type: 'overloaded' }),
      'Model is overloaded',
    ),
    inband(
      'bedrock-converse',
      'internalServerException',
      awsError('internalServerException', 'boom'),
      'boom',
    ),
    inband(
      'bedrock-converse',
      'throttlingException',
      awsError('throttlingException', 'Too many requests'),
      'Too many requests',
      'rate_limited',
    ),
    inband(
      'bedrock-converse',
      'modelStreamErrorException',
      awsError('modelStreamErrorException', 'model failed'),
      'model failed',
    ),
    inband(
      'bedrock-converse',
      'an error message',
      awsMessage(
        { ':message-type': 'error', ':error-code': 'InternalFailure', ':error-message': 'failed' },
        '',
      ),
      'failed',
    ),
    inband(
      'ollama-chat',
      'an error line',
      '{"error":"model runner has unexpectedly stopped"}\n',
      'model runner has unexpectedly stopped',
    ),
    inband(
      'ollama-chat',
      'an error line',
      '{"error":"model \\"m\\" not found"}\n',
      'not found',
      'inband_error',
      'start',
    ),
    inband(
      'ollama-generate',
      'an error line',
      '{"error":"an error was encountered while running the model"}\n',
      'an error was encountered',
    ),
    inband('ai-sdk-ui', 'an error part', event({ type: 'error', errorText: 'boom' }), 'boom'),
    inband('ag-ui', 'RUN_ERROR', event({ type: 'RUN_ERROR', message: 'boom', code: 'E1' }), 'boom'),
    inband(
      'dify',
      'an error event',
      event({ event: 'error', task_id: 't', status: 400, code: 'completion_request_error', message: 'boom' }),
      'boom',
    ),
    inband('conversation', 'an error event', event({ type: 'error', error: 'boom' }), 'boom'),
    inband('agent', 'an error chunk', event({ chunk_type: 'error', error: 'boom' }), 'boom'),
    inband(
      'playground',
      'an error, then the terminator',
      `${event({ error: 'boom' })}data: [DONE]\n\n`,
      'boom',
    ),
    inband('sse', 'an error event', 'event: error\ndata: {"message":"boom"}\n\n', 'boom'),
    inband('ndjson', 'an error line', '{"error":{"message":"boom"}}\n', 'boom'),
    {
      name: 'bedrock-converse: bad checksum',
      server: 'sends a message with a wrong checksum',
      dialect: 'bedrock-converse',
      answer: [
        head('application/vnd.amazon.eventstream'),
        chunk(corrupted(family('bedrock-converse').content[0] as Buffer)),
        LAST,
      ],
      expect: fails('malformed', 'the checksum of a message is wrong'),
    },
    {
      name: 'bedrock-converse: length of 4 GiB',
      server: 'sends a message that claims to be 4 GiB long',
      dialect: 'bedrock-converse',
      answer: [
        head('application/vnd.amazon.eventstream'),
        chunk(Buffer.from('ffffffff00000000deadbeef', 'hex')),
        LAST,
      ],
      expect: fails('malformed', 'the checksum of a prelude is wrong'),
    },
  ],
};

function corrupted(message: Buffer): Buffer {
  const copy = Buffer.from(message);
  copy[copy.length - 1]! ^= 0xff;
  return copy;
}
