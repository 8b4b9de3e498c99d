import { crc32 } from 'node:zlib';
import { DONE, STOP, word } from './http.ts';

/** The bytes of one short answer ("Hello world") in a dialect, written by hand from the provider's documentation. */
export interface Family {
  dialect: string;
  contentType: string;
  /** What comes before the content. */
  open: string | Buffer;
  /** Two content events. */
  content: readonly [string | Buffer, string | Buffer];
  /** What holds the finish reason; empty where the dialect has none. */
  finish: string | Buffer;
  /** What ends the answer after the finish reason; empty where nothing does. */
  terminator: string | Buffer;
  /** The whole answer of the same text. */
  whole: string;
}

const sse = (...data: readonly string[]) => data.map((each) => `data: ${each}\n\n`).join('');
const named = (name: string, data: string) => `event: ${name}\ndata: ${data}\n\n`;

/** A message of the AWS event stream: two lengths, a checksum, headers, the payload, a checksum. */
export function awsMessage(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const head = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(value.length);
      return Buffer.concat([
        Buffer.from([name.length]),
        Buffer.from(name),
        Buffer.from([7]),
        length,
        Buffer.from(value),
      ]);
    }),
  );
  const body = Buffer.from(payload);
  const bytes = Buffer.alloc(12 + head.length + body.length + 4);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(head.length, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  head.copy(bytes, 12);
  body.copy(bytes, 12 + head.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

const bedrock = (type: string, payload: string) =>
  awsMessage({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, payload);

const geminiPart = (text: string, finish = '') =>
  `{"candidates":[{"content":{"parts":[{"text":"${text}"}],"role":"model"}${finish},"index":0}],"modelVersion":"m"}`;
const GEMINI_STOP = ',"finishReason":"STOP"';

const SSE_TYPE = 'text/event-stream';

/** One of each dialect. */
export const FAMILIES: readonly Family[] = [
  {
    dialect: 'openai-chat',
    contentType: SSE_TYPE,
    open: sse('{"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}'),
    content: [word('Hello'), word(' world')],
    finish: STOP,
    terminator: DONE,
    whole:
      '{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello world"},"finish_reason":"stop"}]}',
  },
  {
    dialect: 'openai-completions',
    contentType: SSE_TYPE,
    open: '',
    content: [
      sse(
        '{"id":"c1","object":"text_completion","choices":[{"index":0,"text":"Hello","finish_reason":null}]}',
      ),
      sse(
        '{"id":"c1","object":"text_completion","choices":[{"index":0,"text":" world","finish_reason":null}]}',
      ),
    ],
    finish: sse(
      '{"id":"c1","object":"text_completion","choices":[{"index":0,"text":"","finish_reason":"stop"}]}',
    ),
    terminator: DONE,
    whole:
      '{"id":"c1","object":"text_completion","choices":[{"index":0,"text":"Hello world","finish_reason":"stop"}]}',
  },
  {
    dialect: 'openai-responses',
    contentType: SSE_TYPE,
    open: named(
      'response.created',
      '{"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}',
    ),
    content: [
      named(
        'response.output_text.delta',
        '{"type":"response.output_text.delta","item_id":"m1","output_index":0,"content_index":0,"delta":"Hello"}',
      ),
      named(
        'response.output_text.delta',
        '{"type":"response.output_text.delta","item_id":"m1","output_index":0,"content_index":0,"delta":" world"}',
      ),
    ],
    finish: '',
    terminator: named(
      'response.completed',
      '{"type":"response.completed","response":{"id":"r1","status":"completed","output":[],"usage":{"input_tokens":3,"output_tokens":2}}}',
    ),
    whole:
      '{"id":"r1","object":"response","status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hello world"}]}]}',
  },
  {
    dialect: 'anthropic',
    contentType: SSE_TYPE,
    open:
      named(
        'message_start',
        '{"type":"message_start","message":{"id":"m1","role":"assistant","model":"m","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}',
      ) +
      named(
        'content_block_start',
        '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
      ),
    content: [
      named(
        'content_block_delta',
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}',
      ),
      named(
        'content_block_delta',
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" world"}}',
      ),
    ],
    finish:
      named('content_block_stop', '{"type":"content_block_stop","index":0}') +
      named(
        'message_delta',
        '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}',
      ),
    terminator: named('message_stop', '{"type":"message_stop"}'),
    whole:
      '{"id":"m1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hello world"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}',
  },
  {
    dialect: 'gemini',
    contentType: SSE_TYPE,
    open: '',
    content: [sse(geminiPart('Hello')), sse(geminiPart(' world'))],
    finish: sse(geminiPart('', GEMINI_STOP)),
    terminator: '',
    whole: geminiPart('Hello world', GEMINI_STOP),
  },
  {
    dialect: 'gemini-array',
    contentType: 'application/json',
    open: '[',
    content: [geminiPart('Hello'), `,\r\n${geminiPart(' world')}`],
    finish: `,\r\n${geminiPart('', GEMINI_STOP)}`,
    terminator: ']',
    whole: geminiPart('Hello world', GEMINI_STOP),
  },
  {
    dialect: 'cohere',
    contentType: SSE_TYPE,
    open:
      named(
        'message-start',
        '{"type":"message-start","id":"m1","delta":{"message":{"role":"assistant","content":[]}}}',
      ) +
      named(
        'content-start',
        '{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}',
      ),
    content: [
      named(
        'content-delta',
        '{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hello"}}}}',
      ),
      named(
        'content-delta',
        '{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":" world"}}}}',
      ),
    ],
    finish: '',
    terminator: named(
      'message-end',
      '{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":3,"output_tokens":2}}}}',
    ),
    whole:
      '{"id":"m1","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"Hello world"}]}}',
  },
  {
    dialect: 'tgi',
    contentType: SSE_TYPE,
    open: '',
    content: [
      'data:{"index":1,"token":{"id":1,"text":"Hello","logprob":0,"special":false},"generated_text":null,"details":null}\n\n',
      'data:{"index":2,"token":{"id":2,"text":" world","logprob":0,"special":false},"generated_text":null,"details":null}\n\n',
    ],
    finish: '',
    terminator:
      'data:{"index":3,"token":{"id":3,"text":"</s>","logprob":0,"special":true},"generated_text":"Hello world","details":{"finish_reason":"eos_token","generated_tokens":3}}\n\n',
    whole: '{"generated_text":"Hello world","details":{"finish_reason":"eos_token","generated_tokens":3}}',
  },
  {
    dialect: 'bedrock-converse',
    contentType: 'application/vnd.amazon.eventstream',
    open: bedrock('messageStart', '{"role":"assistant"}'),
    content: [
      bedrock('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"text":"Hello"}}'),
      bedrock('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"text":" world"}}'),
    ],
    finish: Buffer.concat([
      bedrock('contentBlockStop', '{"contentBlockIndex":0}'),
      bedrock('messageStop', '{"stopReason":"end_turn"}'),
    ]),
    terminator: bedrock(
      'metadata',
      '{"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5},"metrics":{"latencyMs":9}}',
    ),
    whole:
      '{"output":{"message":{"role":"assistant","content":[{"text":"Hello world"}]}},"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5}}',
  },
  {
    dialect: 'ollama-chat',
    contentType: 'application/x-ndjson',
    open: '',
    content: [
      '{"model":"m","message":{"role":"assistant","content":"Hello"},"done":false}\n',
      '{"model":"m","message":{"role":"assistant","content":" world"},"done":false}\n',
    ],
    finish: '',
    terminator:
      '{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":2}\n',
    whole:
      '{"model":"m","message":{"role":"assistant","content":"Hello world"},"done":true,"done_reason":"stop"}',
  },
  {
    dialect: 'ollama-generate',
    contentType: 'application/x-ndjson',
    open: '',
    content: [
      '{"model":"m","response":"Hello","done":false}\n',
      '{"model":"m","response":" world","done":false}\n',
    ],
    finish: '',
    terminator: '{"model":"m","response":"","done":true,"done_reason":"stop","eval_count":2}\n',
    whole: '{"model":"m","response":"Hello world","done":true,"done_reason":"stop"}',
  },
  {
    dialect: 'ai-sdk-ui',
    contentType: SSE_TYPE,
    open: sse('{"type":"start","messageId":"m1"}', '{"type":"text-start","id":"0"}'),
    content: [
      sse('{"type":"text-delta","id":"0","delta":"Hello"}'),
      sse('{"type":"text-delta","id":"0","delta":" world"}'),
    ],
    finish: sse('{"type":"text-end","id":"0"}', '{"type":"finish"}'),
    terminator: DONE,
    whole: '',
  },
  {
    dialect: 'ag-ui',
    contentType: SSE_TYPE,
    open: sse(
      '{"type":"RUN_STARTED","threadId":"t","runId":"r"}',
      '{"type":"TEXT_MESSAGE_START","messageId":"m","role":"assistant"}',
    ),
    content: [
      sse('{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"Hello"}'),
      sse('{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":" world"}'),
    ],
    finish: '',
    terminator: sse(
      '{"type":"TEXT_MESSAGE_END","messageId":"m"}',
      '{"type":"RUN_FINISHED","threadId":"t","runId":"r"}',
    ),
    whole: '',
  },
  {
    dialect: 'dify',
    contentType: SSE_TYPE,
    open: 'event: ping\n\n',
    content: [
      sse('{"event":"message","task_id":"t","message_id":"m","conversation_id":"c","answer":"Hello"}'),
      sse('{"event":"message","task_id":"t","message_id":"m","conversation_id":"c","answer":" world"}'),
    ],
    finish: '',
    terminator: sse(
      '{"event":"message_end","task_id":"t","message_id":"m","metadata":{"usage":{"prompt_tokens":3,"completion_tokens":2}}}',
    ),
    whole:
      '{"event":"message","task_id":"t","message_id":"m","mode":"chat","answer":"Hello world","metadata":{}}',
  },
  {
    dialect: 'conversation',
    contentType: SSE_TYPE,
    open: '',
    content: [
      sse('{"type":"message_chunk","content":"Hello"}'),
      sse('{"type":"message_chunk","content":" world"}'),
    ],
    finish: '',
    terminator: sse('{"type":"complete"}'),
    whole: '{"content":"Hello world","finish_reason":"stop"}',
  },
  {
    dialect: 'agent',
    contentType: SSE_TYPE,
    open: sse('{"chunk_type":"start"}'),
    content: [
      sse('{"chunk_type":"content","content":"Hello"}'),
      sse('{"chunk_type":"content","content":" world"}'),
    ],
    finish: '',
    terminator: sse('{"chunk_type":"done","elapsed_ms":120,"total_steps":1}'),
    whole: '{"content":"Hello world","finish_reason":"stop"}',
  },
  {
    dialect: 'playground',
    contentType: SSE_TYPE,
    open: '',
    content: [sse('{"type":"content","content":"Hello"}'), sse('{"type":"content","content":" world"}')],
    finish: '',
    terminator: DONE,
    whole: '{"content":"Hello world","finish_reason":"stop"}',
  },
  {
    dialect: 'sse',
    contentType: SSE_TYPE,
    open: '',
    content: [sse('Hello'), sse(' world')],
    finish: '',
    terminator: DONE,
    whole: 'Hello world',
  },
  {
    dialect: 'ndjson',
    contentType: 'application/x-ndjson',
    open: '',
    content: ['"Hello"\n', '" world"\n'],
    finish: '',
    terminator: '',
    whole: 'Hello world',
  },
  {
    dialect: 'raw',
    contentType: 'text/plain',
    open: '',
    content: ['Hello', ' world'],
    finish: '',
    terminator: '',
    whole: 'Hello world',
  },
];

/** The family of a dialect. */
export function family(dialect: string): Family {
  const found = FAMILIES.find((each) => each.dialect === dialect);
  if (found === undefined) throw new Error(`no bytes for the dialect ${dialect}`);
  return found;
}
