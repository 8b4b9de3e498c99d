/**
 * Makes foreign text safe to show. Control and invisible characters are replaced by escapes such as `\u{202e}`: control
 * characters, direction marks, zero-width characters, tag characters and lone surrogates. Combining marks, and joiners
 * inside emoji, are kept.
 */

// A few format characters (Cf) are visible: Arabic, Syriac and Kaithi signs that enclose a number.
const INVISIBLE =
  /(?![\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}])(?:[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\ufffe\uffff]|\u034f)/u;
const EVERY_INVISIBLE = new RegExp(INVISIBLE, 'gu');
const ON_TERMINAL = new RegExp(`\\u001b\\[[\\d;]*m|\\r\\n|[\\n\\t]|${INVISIBLE.source}`, 'gu');

const JOINER = '\u200d';
const EMOJI_BEFORE = /\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]*$/u;
const EMOJI_AFTER = /^\p{Extended_Pictographic}/u;

/** The text with invisible characters as escapes. Line breaks and tabs are kept. */
export function visible(text: string): string {
  return text.replaceAll(EVERY_INVISIBLE, (char, at: number) =>
    char === '\n' || char === '\t' || isEmojiJoiner(char, at, text) ? char : escaped(char),
  );
}

/** As `visible`, on one line: line breaks and tabs become a space. */
export function oneLine(text: string): string {
  return visible(text.replaceAll(/[\t\n\v\f\r]+/g, ' ')).trim();
}

/**
 * The last step before text is written to a terminal: as `visible`, but `\r\n` is kept, and colour codes are kept if
 * `color` is true.
 */
export function forTerminal(text: string, { color }: { color: boolean }): string {
  return text.replaceAll(ON_TERMINAL, (found, at: number) => {
    if (found === '\r\n' || found === '\n' || found === '\t' || isEmojiJoiner(found, at, text)) return found;
    if (found.length > 1 && found.startsWith('\u001b')) return color ? found : visible(found);
    return escaped(found);
  });
}

/** Encodes a value as JSON with invisible characters escaped. It parses to the same value. `space` as for `JSON.stringify`. */
export function jsonText(value: unknown, space?: number): string {
  return visibleJson(JSON.stringify(value, null, space));
}

/** A JSON text with invisible characters escaped. */
export function visibleJson(json: string): string {
  return json.replaceAll(EVERY_INVISIBLE, (char) =>
    char === '\n'
      ? char
      : Array.from({ length: char.length }, (_, i) => `\\u${hex(char.charCodeAt(i)).padStart(4, '0')}`).join(
          '',
        ),
  );
}

/** True for a single invisible character. */
export function isInvisible(char: string): boolean {
  return INVISIBLE.test(char);
}

function isEmojiJoiner(char: string, at: number, text: string): boolean {
  return (
    char === JOINER &&
    EMOJI_BEFORE.test(text.slice(Math.max(0, at - 8), at)) &&
    EMOJI_AFTER.test(text.slice(at + 1, at + 3))
  );
}

// `!`: the text is one character.
function escaped(char: string): string {
  return `\\u{${hex(char.codePointAt(0)!)}}`;
}

function hex(code: number): string {
  return code.toString(16);
}
