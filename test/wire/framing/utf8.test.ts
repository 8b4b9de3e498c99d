import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Utf8Stream } from '../../../src/wire/framing/buffers.ts';
import { cut } from '../streams.ts';

function read(pieces: readonly Uint8Array[]): string {
  const utf8 = new Utf8Stream();
  return pieces.map((piece) => utf8.push(piece)).join('') + utf8.end();
}

const TEXTS = ['plain', 'né à 天津 👩‍👩‍👧.\n', '\uFEFFmarked', 'in the \uFEFF middle', 'é\uFEFFé', ''];

test.each(TEXTS)('%j reads as a TextDecoder reads it, wherever it is cut', (text) => {
  const bytes = new TextEncoder().encode(text);
  const expected = new TextDecoder().decode(bytes);
  for (let at = 0; at <= bytes.length; at++) expect(read(cut(bytes, [at])), `cut at ${at}`).toBe(expected);
  expect(read(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toBe(expected);
});

test('invalid UTF-8 too', () => {
  const byte = fc.oneof(
    fc.nat(255),
    fc.constantFrom(0x41, 0xc3, 0xa9, 0xe5, 0xa4, 0xa9, 0xef, 0xbb, 0xbf, 0xf0, 0x9f),
  );
  const piece = fc.array(byte, { maxLength: 8 }).map((bytes) => Uint8Array.from(bytes));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      expect(read(pieces)).toBe(new TextDecoder().decode(Buffer.concat(pieces)));
    }),
    { numRuns: 2_000 },
  );
});
