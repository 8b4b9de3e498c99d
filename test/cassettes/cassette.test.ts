import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cassette, writeCassette } from '../../src/cassettes/cassette.ts';
import { readCassette } from '../../src/cassettes/read-cassette.ts';
import { UserError } from '../../src/model/errors.ts';
import { cassette, exchange, reads } from './sample.ts';

/** With bytes as plain arrays, to compare them. */
const plain = ({ exchanges, ...rest }: Cassette) => ({
  ...rest,
  exchanges: exchanges.map((one) => ({
    ...one,
    reads: one.reads.map(({ atMs, bytes }) => ({ atMs, bytes: [...bytes] })),
  })),
});

describe('a cassette file', () => {
  test('gives back what was written, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 12 }), { maxLength: 8 }), (pieces) => {
        const written = cassette(exchange({ reads: reads(...pieces), end: { atMs: 500, kind: 'complete' } }));
        expect(plain(readCassette(writeCassette(written), 'f'))).toEqual(plain(written));
      }),
    );
  });

  test('has text where the bytes are text, and base64 where a character was cut', () => {
    const cut = Buffer.from('\ufeff请');
    const text = writeCassette(
      cassette(exchange({ reads: reads(cut.subarray(0, 4), cut.subarray(4), '\ufeffok 请\n') })),
    );
    const lines = text.split('\n').map((line) => (line === '' ? {} : JSON.parse(line)));
    expect(lines.slice(3, 6)).toEqual([
      { atMs: 100, base64: '77u/6A==' },
      { atMs: 110, base64: 'r7c=' },
      { atMs: 120, text: '\ufeffok 请\n' },
    ]);
    expect(lines[0]).toMatchObject({ schema: 'streambench/cassette@1', exchanges: 1 });
  });

  test('keeps an exchange without a response', () => {
    const lost = exchange({
      response: undefined,
      reads: [],
      end: { atMs: 5, kind: 'cut', code: 'ECONNRESET' },
    });
    expect(plain(readCassette(writeCassette(cassette(lost, exchange())), 'f')).exchanges).toHaveLength(2);
  });
});

describe('a file that is no cassette, or a damaged one, is refused with its line', () => {
  const whole = writeCassette(cassette(exchange(), exchange()));
  const lines = whole.trimEnd().split('\n');
  const refusal = (text: string): string => {
    try {
      readCassette(text, 'some.cassette');
    } catch (error) {
      if (error instanceof UserError && error.code === 'cassette_invalid') return error.message;
    }
    throw new Error(`it was accepted: ${text.slice(-60)}`);
  };
  const withLine = (number: number, line: object | string) =>
    lines.with(number - 1, typeof line === 'string' ? line : JSON.stringify(line)).join('\n');
  const changed = (number: number, change: (line: Record<string, object>) => object) =>
    withLine(number, change(JSON.parse(lines[number - 1]!)));

  test('cut off anywhere', () => {
    for (let bytes = whole.length - 2; bytes > 0; bytes -= 13)
      expect(() => refusal(whole.slice(0, bytes))).not.toThrow();
    expect(refusal(lines.slice(0, -1).join('\n'))).toContain('cut off: it contains 1 of 2 exchanges');
    expect(refusal(whole.slice(0, -20))).toMatch(
      /some\.cassette:13: the cassette was cut off here\n {2}record it again/,
    );
  });

  test.each([
    ['', 'some.cassette: the cassette is empty'],
    ['\n \n', 'some.cassette: the cassette is empty'],
    ['#!/bin/sh\n', 'some.cassette:1: this file is not a cassette'],
    ['{"schema":"streambench/record@1"}\n', 'some.cassette:1: this file is not a cassette'],
    [
      whole.replace('cassette@1', 'cassette@9'),
      'written with streambench/cassette@9, but this streambench reads',
    ],
    [withLine(2, '{}'), 'some.cassette:2: expected a request here'],
    [changed(2, ({ request }) => ({ request: { ...request, stream: 'yes' } })), ':2: this request is not'],
    [withLine(3, 'x'), 'some.cassette:3: this line is not a JSON object'],
    [withLine(3, { atMs: 1, text: 'x' }), 'some.cassette:3: expected a response here'],
    [withLine(4, lines[2]!), 'some.cassette:4: a second response to one request'],
    [withLine(4, { atMs: 100 }), 'some.cassette:4: this read has no valid bytes'],
    [withLine(4, { atMs: 100, base64: '*' }), 'some.cassette:4: this read has no valid bytes'],
    [withLine(5, { atMs: 99, text: 'x' }), 'some.cassette:5: this line has no valid time'],
    [withLine(7, { end: { atMs: 120, kind: 'melted' } }), 'some.cassette:7: this exchange has no valid end'],
    [changed(3, ({ response }) => ({ response: { ...response, status: 100 } })), 'no valid status'],
    [
      changed(3, ({ response }) => ({ response: { ...response, headers: { a: 'b\r\nc: d' } } })),
      'some.cassette:3: this response has an invalid header',
    ],
  ])('%#', (text, message) => {
    expect(refusal(text)).toContain(message);
  });
});
