import { bytesOf, joinBytes, textOfBytes, toBase64, toHex } from '../bytes.ts';

/** An encoding of secrets: what they look like in it, and how many characters it makes of one. */
export interface Encoding {
  expansion: number;
  spellings(value: string): string[];
}

/** The encodings in which a server may quote a value. The case of ASCII letters does not count in any of them. */
export const ENCODINGS: readonly Encoding[] = [
  {
    expansion: 1,
    spellings(value) {
      const escaped = JSON.stringify(value).slice(1, -1);
      // PHP escapes slashes.
      return [value, escaped, escaped.replaceAll('/', '\\/'), urlEncoded(value)];
    },
  },
  { expansion: 4 / 3, spellings: base64Spellings },
  { expansion: 2, spellings: (value) => [toHex(bytesOf(value))] },
  { expansion: 3, spellings: (value) => [toHex(bytesOf(value)).replaceAll(/../g, '%$&')] },
  {
    expansion: 6,
    spellings: (value) => [
      Array.from({ length: value.length }, (_, i) => `\\u${hex4(value.charCodeAt(i))}`).join(''),
    ],
  },
];

/** What the bytes of a value look like inside a longer base64 text, wherever it begins there. */
function base64Spellings(value: string): string[] {
  // Bytes before the value in its group of three, and the first character without bits of those bytes.
  const starts = [
    [0, 0],
    [1, 2],
    [2, 3],
  ] as const;
  return starts.flatMap(([offset, first]) => {
    const bytes = joinBytes([new Uint8Array(offset), bytesOf(value)]);
    const text = toBase64(bytes).slice(first, Math.floor((bytes.length * 8) / 6));
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

// By way of bytes, because encodeURIComponent throws for half a surrogate pair.
function urlEncoded(value: string): string {
  return encodeURIComponent(textOfBytes(bytesOf(value)));
}

function hex4(code: number): string {
  return code.toString(16).padStart(4, '0');
}
