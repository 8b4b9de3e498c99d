import { family } from '../families.ts';
import { type FaultGroup, fails, ok, row } from '../fault.ts';
import { chunk, DONE, event, events, head, LAST, response, STOP, word } from '../http.ts';

const HELLO = word('Hello');
/** A chunk of the OpenAI chat dialect with this JSON where a value belongs. */
const delta = (json: string) =>
  `data: {"id":"c1","choices":[{"index":0,"delta":${json},"finish_reason":null}]}\n\n`;
const choices = (json: string) => `data: {"id":"c1","choices":${json}}\n\n`;
const usage = (json: string) => `data: {"id":"c1","choices":[],"usage":${json}}\n\n`;
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const good = { kind: 'ok', text: 'Hello' } as const;
const around = (...pieces: readonly string[]) => events(HELLO, ...pieces, STOP, DONE);
const lines = (...pieces: readonly string[]) => [
  head('application/x-ndjson'),
  ...pieces.map((piece) => chunk(piece)),
  LAST,
];
const {
  content: [ollamaWord],
  terminator: ollamaEnd,
} = family('ollama-chat');

/** JSON that is broken, or of other types than documented. */
export const JSON_VALUES: FaultGroup = {
  title: 'JSON of streams',
  faults: [
    row(
      'broken JSON first',
      'sends a broken object before any content',
      events('data: {"id":\n\n', HELLO, STOP, DONE),
      fails('malformed', 'expected'),
    ),
    row(
      'broken JSON after content',
      'sends a broken object after content',
      around('data: {"id": "c1", "choices": [}\n\n'),
      fails('malformed', 'expected'),
    ),
    row(
      'JSON with a trailing comma',
      'sends {"a":1,}',
      around('data: {"a":1,}\n\n'),
      fails('malformed', 'expected'),
    ),
    row(
      'JSON with single quotes',
      "sends {'a': 1}",
      around("data: {'a': 1}\n\n"),
      fails('malformed', 'expected'),
    ),
    row('JSON with NaN', 'sends {"a": NaN}', around('data: {"a": NaN}\n\n'), fails('malformed', 'expected')),
    row(
      'Python True',
      'sends {"ok": True}',
      around('data: {"ok": True}\n\n'),
      fails('malformed', 'expected'),
    ),
    row('a bare word', 'sends data: hello', around('data: hello\n\n'), fails('malformed', 'expected')),
    row('null', 'sends data: null', around('data: null\n\n'), fails('malformed', 'expected')),
    row('a number', 'sends data: 42', around('data: 42\n\n'), fails('malformed', 'expected')),
    row('a string', 'sends data: "hello"', around('data: "hello"\n\n'), fails('malformed', 'expected')),
    row('an array', 'sends data: []', around('data: []\n\n'), fails('malformed', 'expected')),
    row('an empty object', 'sends data: {}', around('data: {}\n\n'), good),
    row(
      'nested 10,000 deep',
      'sends arrays nested 10,000 deep',
      around(`data: {"x":${nested(10_000)}}\n\n`),
      fails('malformed', 'nested deeper than 512 levels'),
    ),
    row(
      'content nested 10,000 deep',
      'sends arrays nested 10,000 deep as the content',
      around(delta(`{"content":${nested(10_000)}}`)),
      fails('malformed', 'nested deeper than 512 levels'),
    ),
    row(
      'error nested 10,000 deep',
      'sends an error nested 10,000 deep',
      around(`data: {"error":${'{"error":'.repeat(10_000)}"x"${'}'.repeat(10_000)}}\n\n`),
      fails('malformed', 'nested deeper than 512 levels'),
    ),
    row(
      'error of arrays 8,000 deep',
      'sends an error of arrays nested 8,000 deep',
      around(`data: {"error":${nested(8_000)}}\n\n`),
      fails('malformed', 'nested deeper than 512 levels'),
    ),
    row(
      'refusal nested 8,000 deep',
      'answers 400 with arrays nested 8,000 deep',
      [response('400 Bad Request', nested(8_000))],
      fails('http_error', 'HTTP 400'),
    ),
    row(
      'number of 400 digits',
      'sends a token count of 400 digits',
      around(usage(`{"prompt_tokens":${'9'.repeat(400)},"completion_tokens":1}`)),
      good,
    ),
    row(
      'token count 1e308',
      'counts 1e308 tokens',
      around(usage('{"prompt_tokens":1e308,"completion_tokens":1e308}')),
      good,
    ),
    row(
      'token count negative',
      'counts -5 tokens',
      around(usage('{"prompt_tokens":-5,"completion_tokens":-5}')),
      good,
    ),
    row(
      'token count of text',
      'counts "many" tokens',
      around(usage('{"prompt_tokens":"many","completion_tokens":"2"}')),
      good,
    ),
    row(
      'token count fraction',
      'counts 1.5 tokens',
      around(usage('{"prompt_tokens":1.5,"completion_tokens":2.5}')),
      good,
    ),
    row('usage is a list', 'sends usage as a list', around(usage('[1,2]')), good),
    row('usage is text', 'sends usage as text', around(usage('"2 tokens"')), good),
    row('usage is null', 'sends usage: null', around(usage('null')), good),
    row('choices is null', 'sends choices: null', around(choices('null')), good),
    row(
      'choices is an object',
      'sends choices as an object',
      around(choices('{"0":{"delta":{"content":"x"}}}')),
      ok,
    ),
    row('choices is text', 'sends choices as text', around(choices('"x"')), ok),
    row('choices of nulls', 'sends choices: [null]', around(choices('[null]')), ok),
    row(
      'choices of 10,000',
      'sends 10,000 choices in one chunk',
      around(
        choices(
          `[${Array.from({ length: 10_000 }, (_, index) => `{"index":${index},"delta":{"content":"x"}}`).join()}]`,
        ),
      ),
      ok,
    ),
    row(
      'choice index of text',
      'sends index: "0"',
      around('data: {"choices":[{"index":"0","delta":{"content":"!"}}]}\n\n'),
      ok,
    ),
    row(
      'choice index negative',
      'sends index: -1',
      around('data: {"choices":[{"index":-1,"delta":{"content":"!"}}]}\n\n'),
      ok,
    ),
    row('delta is null', 'sends delta: null', around(delta('null')), good),
    row('delta is text', 'sends delta as text', around(delta('"x"')), ok),
    row('delta is a list', 'sends delta as a list', around(delta('[{"content":"x"}]')), ok),
    row('content is null', 'sends content: null', around(delta('{"content":null}')), good),
    row('content is a number', 'sends content: 42', around(delta('{"content":42}')), ok),
    row('content is true', 'sends content: true', around(delta('{"content":true}')), ok),
    row('content is an object', 'sends content: {"text":"x"}', around(delta('{"content":{"text":"x"}}')), ok),
    row(
      'content is a list of parts',
      'sends content as a list of parts',
      around(delta('{"content":[{"type":"text","text":"!"}]}')),
      ok,
    ),
    row('role is a number', 'sends role: 7', around(delta('{"role":7}')), good),
    row(
      'finish reason is a number',
      'sends finish_reason: 1',
      events(HELLO, 'data: {"choices":[{"index":0,"delta":{},"finish_reason":1}]}\n\n', DONE),
      ok,
    ),
    row(
      'finish reason is an object',
      'sends finish_reason: {}',
      events(HELLO, 'data: {"choices":[{"index":0,"delta":{},"finish_reason":{}}]}\n\n', DONE),
      ok,
    ),
    row(
      'finish reason is empty',
      'sends finish_reason: "" with each chunk',
      events(HELLO.replace('null', '""'), STOP, DONE),
      good,
    ),
    row(
      'finish reason unknown',
      'sends finish_reason: "banana"',
      events(HELLO, STOP.replace('"stop"', '"banana"'), DONE),
      good,
    ),
    row(
      'finish reason error',
      'sends finish_reason: "error"',
      events(HELLO, STOP.replace('"stop"', '"error"'), DONE),
      fails('inband_error', 'finish reason "error"'),
    ),
    row(
      'tool_calls is an object',
      'sends tool_calls as an object',
      around(delta('{"tool_calls":{"index":0,"function":{"name":"f"}}}')),
      ok,
    ),
    row('tool_calls of nulls', 'sends tool_calls: [null]', around(delta('{"tool_calls":[null]}')), ok),
    row(
      'tool call without a function',
      'sends a tool call with an index alone',
      around(delta('{"tool_calls":[{"index":0}]}')),
      ok,
    ),
    row(
      'tool call index of text',
      'sends a tool call with index "a"',
      around(delta('{"tool_calls":[{"index":"a","id":1,"function":{"name":7,"arguments":{"a":1}}}]}')),
      ok,
    ),
    row(
      'tool call index huge',
      'sends a tool call with index 1e9',
      around(
        delta('{"tool_calls":[{"index":1000000000,"id":"t","function":{"name":"f","arguments":"{}"}}]}'),
      ),
      ok,
    ),
    row(
      '__proto__ key',
      'sends keys named __proto__ and constructor',
      around(
        'data: {"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"choices":[]}\n\n',
      ),
      good,
    ),
    row(
      '__proto__ in the delta',
      'sends a delta with __proto__',
      around(delta('{"__proto__":{"content":"x"}}')),
      good,
    ),
    row(
      'lone surrogate',
      'has half a surrogate pair in the text',
      events(delta('{"content":"a\\ud800b"}'), STOP, DONE),
      { kind: 'ok' },
    ),
    row(
      'surrogate pair over two events',
      'splits an emoji over two events',
      events(delta('{"content":"\\ud83d"}'), delta('{"content":"\\ude00"}'), STOP, DONE),
      { kind: 'ok', text: '😀' },
    ),
    row(
      'escape sequences for a terminal',
      'has escape sequences in an error',
      around(event({ error: { message: '\u001b[31mred\u001b[0m' } })),
      fails('inband_error', 'red'),
    ),
    row(
      'duplicate keys',
      'sends choices twice in one object',
      around('data: {"choices":[],"choices":null}\n\n'),
      good,
    ),
    row(
      'key of 1 MiB',
      'sends an object with a key of 1 MiB',
      around(`data: {"${'k'.repeat(1 << 20)}":1}\n\n`),
      good,
    ),
    row(
      '100,000 keys',
      'sends an object with 100,000 keys',
      around(`data: {${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join()}}\n\n`),
      good,
    ),
    row(
      'whole answer: choices empty',
      'answers with choices: []',
      [response('200 OK', '{"object":"chat.completion","choices":[]}')],
      fails('not_a_stream', 'one JSON document', 'check the path'),
      { mode: 'non-streaming' },
    ),
    row(
      'whole answer: message is text',
      'answers with message as text',
      [
        response(
          '200 OK',
          '{"object":"chat.completion","choices":[{"message":"Hello","finish_reason":"stop"}]}',
        ),
      ],
      fails('empty', 'had no content'),
      { mode: 'non-streaming' },
    ),
    row(
      'whole answer: content is a list',
      'answers with content as parts',
      [
        response(
          '200 OK',
          '{"object":"chat.completion","choices":[{"message":{"content":[{"type":"text","text":"Hello"}]},"finish_reason":"stop"}]}',
        ),
      ],
      ok,
      { mode: 'non-streaming' },
    ),
    row(
      'whole answer: nested 10,000 deep',
      'answers with arrays nested 10,000 deep',
      [response('200 OK', nested(10_000))],
      fails('malformed', 'nested deeper than 512 levels'),
      { mode: 'non-streaming' },
    ),
    row(
      'whole answer: a list',
      'answers with a list of answers',
      [response('200 OK', `[${family('openai-chat').whole}]`)],
      fails('not_a_stream', 'one JSON document', 'check the path'),
      { mode: 'non-streaming' },
    ),
    row(
      'anthropic: index unknown',
      'sends a delta for a block that was not started',
      events(
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":9,"delta":{"type":"text_delta","text":"Hello"}}\n\n',
        'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n',
        'event: message_stop\ndata: {"type":"message_stop"}\n\n',
      ),
      good,
      { dialect: 'anthropic' },
    ),
    row(
      'anthropic: delta is null',
      'sends delta: null',
      events(
        `${family('anthropic').open}${family('anthropic').content[0]}`,
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":null}\n\n',
        `${family('anthropic').finish}${family('anthropic').terminator}`,
      ),
      good,
      { dialect: 'anthropic' },
    ),
    row(
      'anthropic: unknown event',
      'sends an event of an unknown type',
      events(
        `${family('anthropic').open}${family('anthropic').content[0]}`,
        'event: sparkle\ndata: {"type":"sparkle"}\n\n',
        `${family('anthropic').finish}${family('anthropic').terminator}`,
      ),
      good,
      { dialect: 'anthropic' },
    ),
    row(
      'responses: unknown event',
      'sends response.sparkle',
      events(
        `${family('openai-responses').content[0]}`,
        'event: response.sparkle\ndata: {"type":"response.sparkle"}\n\n',
        `${family('openai-responses').terminator}`,
      ),
      good,
      { dialect: 'openai-responses' },
    ),
    row(
      'responses: delta is an object',
      'sends delta as an object',
      events(
        `${family('openai-responses').content[0]}`,
        'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":{"text":"x"}}\n\n',
        `${family('openai-responses').terminator}`,
      ),
      ok,
      { dialect: 'openai-responses' },
    ),
    row(
      'gemini: parts is an object',
      'sends parts as an object',
      events(
        `${family('gemini').content[0]}`,
        'data: {"candidates":[{"content":{"parts":{"text":"x"}}}]}\n\n',
        `${family('gemini').finish}`,
      ),
      ok,
      { dialect: 'gemini' },
    ),
    row(
      'gemini: candidates is null',
      'sends candidates: null',
      events(`${family('gemini').content[0]}`, 'data: {"candidates":null}\n\n', `${family('gemini').finish}`),
      good,
      { dialect: 'gemini' },
    ),
    row(
      'ollama: done is text',
      'sends done: "true"',
      lines(`${ollamaWord}`, '{"model":"m","message":{"content":""},"done":"true"}\n'),
      fails('truncated', 'neither terminator'),
      { dialect: 'ollama-chat' },
    ),
    row(
      'ollama: message is text',
      'sends message as text',
      lines(`${ollamaWord}`, '{"model":"m","message":"x","done":false}\n', `${ollamaEnd}`),
      ok,
      { dialect: 'ollama-chat' },
    ),
    row(
      'ollama: two objects on a line',
      'leaves out a line end',
      lines(`${ollamaWord}`.trimEnd(), `${ollamaEnd}`),
      fails('malformed', 'expected a JSON object'),
      { dialect: 'ollama-chat' },
    ),
    row(
      'ollama: broken line',
      'cuts a line and goes on',
      lines('{"model":"m","mess\n', `${ollamaWord}`, `${ollamaEnd}`),
      fails('malformed', 'expected'),
      { dialect: 'ollama-chat' },
    ),
    row(
      'gemini array: no brackets',
      'leaves out the brackets of the array',
      [
        head('application/json'),
        chunk(`${family('gemini-array').content[0]}${family('gemini-array').content[1]}`),
        LAST,
      ],
      fails('truncated', 'neither terminator'),
      { dialect: 'gemini-array' },
    ),
    row(
      'gemini array: empty',
      'sends an empty array',
      [response('200 OK', '[]')],
      fails('truncated', 'after 0 content events'),
      {
        dialect: 'gemini-array',
      },
    ),
  ],
};
