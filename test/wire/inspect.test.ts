import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { inspector, type WireFacts } from '../../src/wire/inspect.ts';
import { chatChunk } from '../support/raw-server.ts';

function inspect(dialect: string, ...chunks: string[]): WireFacts {
  const wire = inspector(getDialect(dialect));
  for (const chunk of chunks) wire.push(Buffer.from(chunk));
  return wire.end();
}

const HELLO = chatChunk({ content: 'hello' });
const STOP = chatChunk({}, 'stop');
const DONE = 'data: [DONE]\n\n';

describe('the terminator', () => {
  test.each<[string, string, string, boolean | undefined]>([
    ['came', 'openai-chat', HELLO + STOP + DONE, true],
    ['did not come, though a finish reason did', 'openai-chat', HELLO + STOP, false],
    ['came, of another dialect', 'anthropic', 'event: message_stop\ndata: {"type":"message_stop"}\n\n', true],
    ['is none where the end of the body is the end', 'gemini', 'data: {"candidates":[]}\n\n', undefined],
    ['is not asked of plain endpoints', 'sse', 'data: one\n\n', undefined],
    ['came, as the last line', 'ollama-chat', '{"message":{"content":"x"},"done":true}\n', true],
  ])('%s', (_name, dialect, body, terminated) => {
    expect(inspect(dialect, body).terminated).toBe(terminated);
  });
});

describe('irregularities', () => {
  test.each<[string, string, string[]]>([
    ['nothing', HELLO + STOP + DONE, []],
    [
      'comments, other fields and lines of text are none',
      ': hi\nid: 1\nretry: 5\nevent: a\ndata: b\ndata: c\n\n',
      [],
    ],
    ['no space', 'data:{"a":1}\n\ndata: {"a":2}\n\n', ['no space after "data:" in 1 of 2 lines']],
    ['CRLF', 'data: a\r\n\r\n', ['lines end with CRLF']],
    ['a mix', 'data: a\r\n\r\ndata: b\n\ndata: c\r\r', ['mixed line ends: 2 LF, 2 CRLF, 2 CR']],
    ['JSON over lines', 'data: {"a":\ndata: 1}\n\n', ['1 event with JSON over several data: lines']],
    ['two documents', 'data: {"a":1}\ndata: {"a":2}\n\n', ['1 event with several JSON documents']],
    ['two in a line', 'data: {"a":1}{"a":2}\n\n', ['1 event with several JSON documents']],
    ['no data', 'data:\n\ndata\n\n', ['2 events without data']],
    ['bare lines', '{"error":"x"}\n\ndata: a\n\n', ['1 line without a field name of event streams']],
    ['an open end', 'data: a\n\ndata: b\n', ['the last event has no blank line after it']],
    ['a mark', '\uFEFFdata: a\n\n', ['a byte order mark at the beginning']],
  ])('%s', (_name, body, oddities) => {
    expect(inspect('sse', body).oddities).toEqual(oddities);
  });

  test('is found for any split of the reads', () => {
    const body = Buffer.from(
      `\uFEFFdata:{"ä":1}\r\n\r\n${HELLO}data: b\r\rdata: {"a":\ndata: 1}\n\ndata: c\r`,
    );
    const whole = inspect('sse', body.toString());
    expect(whole.oddities).toHaveLength(5);
    fc.assert(
      fc.property(fc.array(fc.nat(body.length)), (cuts) => {
        const wire = inspector(getDialect('sse'));
        let from = 0;
        for (const at of [...cuts.sort((a, b) => a - b), body.length]) {
          wire.push(body.subarray(from, at));
          from = at;
        }
        expect(wire.end()).toEqual(whole);
      }),
    );
  });
});
