export { oneLine } from '../model/visible.ts';

/** The width of text on a terminal. */

// Wide in every terminal font: the CJK blocks, Hangul, full-width forms, emoji.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u;
const COLOR = /\u001b\[[\d;]*m/g;

/** Columns that a line takes on a terminal; colour takes none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text.replaceAll(COLOR, '')) width += ZERO.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

/** The text cut to `width` columns, with an ellipsis where something was cut. */
export function clip(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const char of text) {
    const wide = displayWidth(char);
    if (used + wide > width - 1) break;
    kept += char;
    used += wide;
  }
  return `${kept}…`;
}

/** The text in lines of at most `width` columns, cut at spaces where there are any (CJK text has none). */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const char of word) {
      if (displayWidth(line + char) > width) {
        lines.push(line);
        line = '';
      }
      line += char;
    }
  }
  lines.push(line);
  return lines;
}
