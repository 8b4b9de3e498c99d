import type { Timeouts } from '../../../src/model/plan.ts';
import { family } from '../families.ts';
import { close, type Fault, type FaultGroup, fails, forever, ok, type Step, wait } from '../fault.ts';
import { chunk, DONE, head, LAST, SSE, STOP, word } from '../http.ts';

const HELLO = word('Hello');
const { whole } = family('openai-chat');

/** The one limit that is short; the others are far away. */
function limited(
  phase: 'first_byte' | 'idle' | 'total',
  name: string,
  server: string,
  answer: readonly Step[],
  message: string,
  more: Partial<Fault> = {},
): Fault {
  const timeouts: Partial<Timeouts> =
    phase === 'first_byte' ? { firstByteMs: 300 } : phase === 'idle' ? { idleMs: 300 } : { totalMs: 600 };
  return {
    name: `${phase}: ${name}`,
    server,
    answer,
    client: () => ({ timeouts }),
    expect: {
      ...fails('timeout', message, `timeouts.${phase === 'first_byte' ? 'firstByte' : phase}`),
      phase,
    },
    ...more,
  };
}

const NO_BYTE = 'no byte of the body within 300 ms';
const IDLE = 'no data for 300 ms';
const TOTAL = 'not finished within 600 ms';

/** Silence and slowness. */
export const TIMING: FaultGroup = {
  title: 'Time limits',
  faults: [
    limited('first_byte', 'no status line', 'reads the request and never answers', [], NO_BYTE),
    limited('first_byte', 'half a status line', 'stops in the status line', ['HTTP/1.1 2'], NO_BYTE),
    limited(
      'first_byte',
      'half of the headers',
      'stops in the headers',
      ['HTTP/1.1 200 OK\r\ncontent-ty'],
      NO_BYTE,
    ),
    limited('first_byte', 'no body', 'stops after the headers', [SSE], NO_BYTE),
    limited(
      'first_byte',
      'interim responses only',
      'sends 102 every 50 ms and nothing else',
      [forever('HTTP/1.1 102 Processing\r\n\r\n', wait(50))],
      NO_BYTE,
    ),
    limited(
      'first_byte',
      'headers, one byte at a time',
      'sends a header byte every 20 ms',
      ['HTTP/1.1 200 OK\r\nx: ', forever('a', wait(20))],
      NO_BYTE,
    ),
    limited('first_byte', 'chunk size only', 'sends the size of a chunk and stops', [SSE, 'ff\r\n'], NO_BYTE),
    limited(
      'first_byte',
      'status 500 without its body',
      'sends the head of a 500 and stops',
      ['HTTP/1.1 500 Internal Server Error\r\ncontent-length: 10\r\n\r\n'],
      'HTTP 500',
      { expect: fails('http_error', 'HTTP 500') },
    ),
    limited(
      'first_byte',
      'whole answer',
      'never sends the whole answer',
      ['HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n'],
      NO_BYTE,
      { mode: 'non-streaming' },
    ),
    limited(
      'idle',
      'in an event',
      'stops in the middle of an event',
      [SSE, chunk(HELLO.slice(0, 40))],
      `${IDLE} in the middle of the body`,
    ),
    limited('idle', 'after content', 'stops after the first content', [SSE, chunk(HELLO)], IDLE),
    limited(
      'idle',
      'after the finish reason',
      'stops before the terminator',
      [SSE, chunk(HELLO), chunk(STOP)],
      `${IDLE} after the finish reason, before the terminator`,
    ),
    limited(
      'idle',
      'after the terminator',
      'stops before the end of the body',
      [SSE, chunk(HELLO), chunk(STOP), chunk(DONE)],
      '',
      { expect: ok },
    ),
    limited('idle', 'after one byte', 'stops after the first byte', [SSE, chunk('d')], IDLE),
    limited(
      'idle',
      'whole answer, half',
      'stops in the middle of the whole answer',
      [`HTTP/1.1 200 OK\r\ncontent-length: ${whole.length}\r\n\r\n${whole.slice(0, 50)}`],
      IDLE,
      { mode: 'non-streaming' },
    ),
    limited(
      'idle',
      'anthropic',
      'stops after the first content',
      [SSE, chunk(`${family('anthropic').open}${family('anthropic').content[0]}`)],
      IDLE,
      { dialect: 'anthropic' },
    ),
    limited(
      'idle',
      'ollama',
      'stops after the first content',
      [head('application/x-ndjson'), chunk(`${family('ollama-chat').content[0]}`)],
      IDLE,
      { dialect: 'ollama-chat' },
    ),
    limited(
      'idle',
      'bedrock',
      'stops after the first content',
      [head('application/vnd.amazon.eventstream'), chunk(family('bedrock-converse').content[0])],
      IDLE,
      { dialect: 'bedrock-converse' },
    ),
    limited(
      'idle',
      'status 500 with half its body',
      'stops in the body of a 500',
      ['HTTP/1.1 500 Internal Server Error\r\ncontent-length: 100\r\n\r\noops'],
      'HTTP 500',
      { expect: fails('http_error', 'HTTP 500') },
    ),
    limited(
      'total',
      'comments for ever',
      'sends a comment every 50 ms',
      [SSE, forever(chunk(': ping\n\n'), wait(50))],
      TOTAL,
    ),
    limited(
      'total',
      'one byte at a time',
      'sends a byte of an event every 20 ms',
      [SSE, chunk('data: {"a":"'), forever(chunk('a'), wait(20))],
      TOTAL,
    ),
    limited(
      'total',
      'content for ever',
      'sends a word every 50 ms',
      [SSE, forever(chunk(HELLO), wait(50))],
      TOTAL,
    ),
    limited(
      'total',
      'empty events for ever',
      'sends an empty event every 50 ms',
      [SSE, forever(chunk('data: {}\n\n'), wait(50))],
      TOTAL,
    ),
    limited('total', 'silence', 'never answers, with a far first-byte limit', [], TOTAL),
    limited(
      'total',
      'whole answer, one byte at a time',
      'sends a byte of the whole answer every 20 ms',
      ['HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{"a":"', forever('a', wait(20))],
      TOTAL,
      { mode: 'non-streaming' },
    ),
    limited(
      'total',
      'trailers for ever',
      'sends a trailer every 50 ms after the terminator',
      [SSE, chunk(HELLO), chunk(STOP), chunk(DONE), '0\r\n', forever('x: y\r\n', wait(50))],
      '',
      { expect: ok },
    ),
    {
      name: 'cancelled, then goes on',
      server: 'goes on with content after the client cancelled',
      answer: [SSE, forever(chunk(HELLO), wait(20))],
      cancel: true,
      expect: fails('cancelled', 'the reader left'),
    },
    {
      name: 'cancelled, then closed',
      server: 'closes after the client cancelled',
      answer: [SSE, chunk(HELLO), wait(200), chunk(HELLO), close],
      cancel: true,
      expect: fails('cancelled', 'the reader left'),
    },
    {
      name: 'cancelled, then ends',
      server: 'ends in good order after the client cancelled',
      answer: [SSE, chunk(HELLO), wait(200), chunk(STOP), chunk(DONE), LAST],
      cancel: true,
      expect: fails('cancelled', 'the reader left'),
    },
    {
      name: 'slow but in time',
      server: 'sends an event every 60 ms',
      answer: [SSE, chunk(HELLO), wait(60), chunk(STOP), wait(60), chunk(DONE), LAST],
      expect: { kind: 'ok', text: 'Hello' },
    },
    {
      name: 'slow head',
      server: 'sends the head in three pieces',
      answer: [
        'HTTP/1.1 ',
        wait(40),
        '200 OK\r\ncontent-',
        wait(40),
        'type: application/json\r\n',
        wait(40),
        'content-length: ',
        `${whole.length}\r\n\r\n`,
        whole,
      ],
      mode: 'non-streaming',
      expect: ok,
    },
  ],
};
