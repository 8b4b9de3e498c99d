import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAMINGS, type Frame, type FramingName } from '../../../src/wire/framing/framings.ts';
import { CORPUS } from '../corpus.ts';
import { cut } from '../streams.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function read(name: FramingName, reads: readonly Uint8Array[]) {
  const frames: Frame[] = [];
  const comments: string[] = [];
  const parser = FRAMINGS[name].parser({
    frame: (frame) => frames.push(frame),
    comment: (text) => comments.push(text),
  });
  for (const chunk of reads) parser.push(chunk);
  parser.end();
  return { frames, comments };
}

const SSE_CASES: [string, string, Frame[]][] = [
  ['one event', 'data: hello\n\n', [{ data: 'hello' }]],
  ['no space after the colon', 'data:{"a":1}\n\n', [{ data: '{"a":1}' }]],
  ['one space only is taken away', 'data:  x\n\n', [{ data: ' x' }]],
  ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', [{ data: 'a' }, { data: 'b' }]],
  ['bare CR, the last one too', 'data: a\r\rdata: b\r\r', [{ data: 'a' }, { data: 'b' }]],
  ['a byte order mark', '\uFEFFdata: a\n\n', [{ data: 'a' }]],
  ['comments between', ': ping\n\ndata: a\n: ping\n\n', [{ data: 'a' }]],
  ['names and ids', 'event: e\nid: 7\nretry: 5\ndata: a\n\n', [{ data: 'a', event: 'e', id: '7' }]],
  ['several data lines', 'data: a\ndata\ndata: b\n\n', [{ data: 'a\n\nb' }]],
  ['no event without data', 'event: ping\n\ndata: a\n\n', [{ data: 'a' }]],
  ['an empty data line is an event', 'data:\n\n', [{ data: '' }]],
  ['U+2028 inside', 'data: "a\u2028b"\n\n', [{ data: '"a\u2028b"' }]],
  ['beyond the BMP', 'data: 👩‍👩‍👧 天\n\n', [{ data: '👩‍👩‍👧 天' }]],
  ['no blank line at the end', 'data: a\n\ndata: b', [{ data: 'a' }, { data: 'b', incomplete: true }]],
  ['a line feed but no blank line', 'data: b\n', [{ data: 'b', incomplete: true }]],
  ['a line that is an error', 'error: {"code":500}\n\n', [{ event: 'error', data: '{"code":500}' }]],
  ['a bare line of JSON that is an error', '{"error":"x"}\n', [{ event: 'error', data: '{"error":"x"}' }]],
  ['other bare lines are no events', 'hello\n{"a":1}\n\n', []],
];

describe('sse', () => {
  test.each(SSE_CASES)('%s', (_title, stream, expected) => {
    const whole = bytes(stream);
    expect(read('sse', [whole]).frames).toEqual(expected);
    for (let at = 0; at <= whole.length; at++) {
      expect(read('sse', cut(whole, [at])).frames, `cut at ${at}`).toEqual(expected);
    }
    const single = Array.from(whole, (byte) => Uint8Array.of(byte));
    expect(read('sse', single).frames, 'byte by byte').toEqual(expected);
  });

  test('comments are not frames', () => {
    expect(read('sse', [bytes(': keep-alive\n\n:\n')]).comments).toEqual(['keep-alive', '']);
  });

  test('an event is delivered with its last byte, also when lines end in CR', () => {
    const frames: Frame[] = [];
    const parser = FRAMINGS.sse.parser({ frame: (frame) => frames.push(frame), comment: () => {} });
    parser.push(bytes('data: a\r\r'));
    expect(frames).toEqual([{ data: 'a' }]);
    parser.push(bytes('\ndata: b\r\n\r\n'));
    expect(frames).toEqual([{ data: 'a' }, { data: 'b' }]);
  });

  test('written frames are parsed to the same frames', () => {
    const frame = fc.record(
      {
        data: fc.string({ unit: 'binary' }),
        event: fc.stringMatching(/^[a-z]+$/),
        id: fc.stringMatching(/^\w+$/),
      },
      { requiredKeys: ['data'] },
    );
    fc.assert(
      fc.property(fc.array(frame), (frames) => {
        const stream = frames.map((one) => FRAMINGS.sse.write(one)).join('');
        const sane = frames.map((one) => ({ ...one, data: one.data.replaceAll(/\r\n?/g, '\n') }));
        expect(read('sse', [bytes(stream)]).frames).toEqual(sane);
      }),
    );
  });

  test.each<FramingName>(['sse', 'ndjson'])('%s: a line of 1 MB in small reads costs linear time', (name) => {
    const line = bytes(`data: ${'x'.repeat(1_000_000)}\n\n`);
    const places = Array.from({ length: 15_000 }, (_, i) => i * 64);
    const reads = cut(line, places);
    const before = process.cpuUsage().user;
    expect(read(name, reads).frames).toHaveLength(1);
    expect((process.cpuUsage().user - before) / 1000).toBeLessThan(1000);
  });
});

describe('ndjson', () => {
  test.each<[string, string, Frame[]]>([
    ['lines', '{"a":1}\n{"b":2}\n', [{ data: '{"a":1}' }, { data: '{"b":2}' }]],
    ['CRLF and empty lines', '{"a":1}\r\n\r\n\n{"b":2}\r\n', [{ data: '{"a":1}' }, { data: '{"b":2}' }]],
    [
      'no line feed at the end',
      '{"a":"é"}\n{"b"',
      [{ data: '{"a":"é"}' }, { data: '{"b"', incomplete: true }],
    ],
    ['a byte order mark', '\uFEFF{}\n', [{ data: '{}' }]],
    ['U+2028 inside', '"\u2028"\n', [{ data: '"\u2028"' }]],
  ])('%s', (_title, stream, expected) => {
    const whole = bytes(stream);
    for (let at = 0; at <= whole.length; at++) {
      expect(read('ndjson', cut(whole, [at])).frames, `cut at ${at}`).toEqual(expected);
    }
  });
});

describe('raw', () => {
  test('each read is a frame, but a character is never cut', () => {
    const frames = read('raw', [
      bytes('ab'),
      bytes('天').subarray(0, 2),
      bytes('天').subarray(2),
      bytes('c'),
    ]).frames;
    expect(frames).toEqual([{ data: 'ab' }, { data: '天' }, { data: 'c' }]);
  });
});

// Where we differ from a browser on purpose: an id belongs to its own event only, and a line `error: {...}`, which a
// browser drops, is an event.
const DIFFERENCES = 'ids are per event, an error line is an event';
const ERROR_LINE = new Set(['llm-errorfield']);

interface ConformanceCase {
  id: string;
  chunks_b64: string[];
  expect: { events: { type: string; data: string }[]; comments: string[] | null };
  any_resplit_ok: boolean;
}

const file = join(CORPUS, 'sse-conformance.json');
const cases: ConformanceCase[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : [];

describe.skipIf(cases.length === 0)(`conformance: ${cases.length} cases (${DIFFERENCES})`, () => {
  test.each(cases.map((one): [string, ConformanceCase] => [one.id, one]))('%s', (_id, one) => {
    const reads = one.chunks_b64.map((chunk) => Buffer.from(chunk, 'base64'));
    const whole = Buffer.concat(reads);
    const places = [1, 2, 3, 7].map((step) =>
      Array.from({ length: Math.ceil(whole.length / step) }, (_, i) => i * step),
    );
    const ways =
      one.any_resplit_ok && whole.length < 100_000 ? [reads, ...places.map((at) => cut(whole, at))] : [reads];
    for (const way of ways) {
      const { frames, comments } = read('sse', way);
      // A browser drops an event that the end of the stream cut off; we deliver it, marked.
      const dispatched = frames.filter(
        (frame) => !frame.incomplete && !(ERROR_LINE.has(one.id) && frame.event === 'error'),
      );
      expect(dispatched.map(({ data, event }) => ({ type: event ?? 'message', data }))).toEqual(
        one.expect.events.map(({ type, data }) => ({ type, data })),
      );
      if (one.expect.comments !== null) {
        expect(comments.map((text) => text.trim())).toEqual(one.expect.comments.map((text) => text.trim()));
      }
    }
  });
});
