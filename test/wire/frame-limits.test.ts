import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ByteBuffer, Pieces } from '../../src/wire/framing/buffers.ts';
import { FRAMINGS, type Frame, type FramingName } from '../../src/wire/framing/framings.ts';
import { cut } from './streams.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const LIMIT = 1_000;

/** What a parser with a limit makes of these reads. */
function read(name: FramingName, reads: readonly Uint8Array[], limit = LIMIT) {
  const frames: Frame[] = [];
  let tooLarge = 0;
  const parser = FRAMINGS[name].parser(
    { frame: (frame) => frames.push(frame), comment() {}, tooLarge: () => tooLarge++ },
    limit,
  );
  for (const chunk of reads) parser.push(chunk);
  parser.end();
  return { frames: frames.map(({ data }) => data), tooLarge };
}

/** A frame of the framing whose payload has this length. */
function written(name: FramingName, payload: string): Uint8Array {
  const out = FRAMINGS[name].write({ data: payload });
  return typeof out === 'string' ? bytes(out) : out;
}

const payload = (length: number) => `{"a":"${'x'.repeat(length - 8)}"}`;
const every = (step: number) => Array.from({ length: 400 }, (_, i) => i * step);

describe.each<FramingName>(['sse', 'ndjson', 'json-array', 'aws-event-stream'])('%s', (name) => {
  // The limit of a binary message is for all of it, its headers included.
  const most = name === 'aws-event-stream' ? LIMIT - 200 : LIMIT;

  test.each([1, 7, 100, 100_000])(
    'read %i bytes at a time: the limit is let through, more is not',
    (step) => {
      const small = written(name, payload(most));
      const large = written(name, payload(LIMIT + 1));
      const after = written(name, '{"b":1}');
      const whole = Buffer.concat([small, small, large, after]);
      expect(read(name, step > whole.length ? [whole] : cut(whole, every(step)))).toEqual({
        frames: [payload(most), payload(most)],
        tooLarge: 1,
      });
    },
  );

  test('many small frames in one read are not one large frame', () => {
    const one = written(name, '{"b":1}');
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => one));
    expect(read(name, [many]).frames).toHaveLength(1_000);
    expect(read(name, cut(many, every(13)))).toMatchObject({ tooLarge: 0 });
  });

  test('the limit is in bytes', () => {
    const text = `"${'天'.repeat(400)}"`;
    expect(read(name, [written(name, text)])).toEqual({ frames: [], tooLarge: 1 });
    expect(read(name, [written(name, text)], 1_500).frames).toEqual([text]);
  });

  test('a frame that never ends is dropped at the limit, not kept', () => {
    const parser = FRAMINGS[name].parser(
      {
        frame: () => expect.fail('there is no frame'),
        comment() {},
        tooLarge: () => told++,
      },
      100_000,
    );
    let told = 0;
    const prelude = Buffer.from([0, 1, 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    prelude.writeUInt32BE(1_000_000, 0);
    prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
    parser.push(name === 'aws-event-stream' ? prelude : bytes(name === 'sse' ? 'data: "' : '["'));
    let sent = 0;
    for (; told === 0 && sent < 1_000_000; sent += 1_000) parser.push(bytes('x'.repeat(1_000)));
    expect(sent).toBeLessThanOrEqual(101_000);
    for (let i = 0; i < 100; i++) parser.push(bytes('x\n\n"]'));
    parser.end();
    expect(told).toBe(1);
  });
});

describe('sse', () => {
  test('the lines of one event count together', () => {
    const lines = `data: ${'x'.repeat(300)}\n`.repeat(5);
    expect(read('sse', [bytes(lines), bytes('\n')])).toEqual({ frames: [], tooLarge: 1 });
    expect(read('sse', cut(bytes(lines), every(11)))).toEqual({ frames: [], tooLarge: 1 });
  });

  test('comments, names and blank lines are not kept, however many come', () => {
    const idle = bytes(`: ${'p'.repeat(500)}\n\nevent: ping\nid: 1\n\n`.repeat(500));
    expect(read('sse', [...cut(idle, every(97)), bytes('data: a\n\n')])).toEqual({
      frames: ['a'],
      tooLarge: 0,
    });
  });

  test('a storm of line ends', () => {
    for (const end of ['\n', '\r', '\r\n']) {
      const storm = bytes(end.repeat(50_000));
      expect(read('sse', [...cut(storm, every(101)), bytes('data: a\n\n')])).toEqual({
        frames: ['a'],
        tooLarge: 0,
      });
    }
  });
});

test('pieces of one character take linear time and are joined', () => {
  const pieces = new Pieces();
  for (let i = 0; i < 10_000; i++) pieces.add(String(i % 10));
  expect(pieces.length).toBe(10_000);
  expect(pieces.take()).toBe('0123456789'.repeat(1_000));
  expect(pieces.isEmpty).toBe(true);
  expect(pieces.take()).toBe('');
});

test('bytes added and dropped in any sizes stay in order', () => {
  const buffer = new ByteBuffer();
  let added = 0;
  let dropped = 0;
  for (let turn = 0; turn < 3_000; turn++) {
    const size = (turn * 37) % 211;
    buffer.add(Uint8Array.from({ length: size }, () => added++ % 251));
    const less = Math.min(buffer.length, (turn * 53) % 223);
    buffer.drop(less);
    dropped += less;
    expect(buffer.length).toBe(added - dropped);
    const view = buffer.view();
    if (view.length > 0) expect([view[0], view.at(-1)]).toEqual([dropped % 251, (added - 1) % 251]);
  }
});
