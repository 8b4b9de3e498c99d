/**
 * The deepest nesting of JSON that is read. `JSON.parse` takes any depth, but `JSON.stringify`, `structuredClone` and
 * every recursive reader overflow the stack somewhere above 1,000 levels. Real answers are nested less than 20 deep.
 */
export const MAX_JSON_DEPTH = 512;

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** True when brackets and braces outside of strings are nested deeper than `MAX_JSON_DEPTH`. Linear, no recursion. */
export function isTooDeep(text: string): boolean {
  // HOT PATH: every level takes two characters, so an ordinary event is not looked at.
  if (text.length <= 2 * MAX_JSON_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at);
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      if (++depth > MAX_JSON_DEPTH) return true;
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth--;
  }
  return false;
}

/** The place of the quote that ends the string which begins at `start`; the length of the text where none does. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}
