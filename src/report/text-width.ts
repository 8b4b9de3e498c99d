import stringWidth from 'string-width';

export { oneLine } from '../model/visible.ts';

/**
 * Width, clipping and wrapping of text on a terminal. string-width 4 is the version that cli-table3 uses, so both agree on the
 * width of a table cell; version 7 took ten times as long.
 */

let segmenter: Intl.Segmenter | undefined;

/** Created when it is first needed: it takes 9 ms. */
function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter();
  return segmenter.segment(text);
}

/** Number of terminal columns of a text. Color codes take none. */
export function displayWidth(text: string): number {
  return stringWidth(text);
}

/** The text with spaces behind it, at least `width` columns wide. */
export function padEnd(text: string, width: number): string {
  return text + fillOf(text, width);
}

/** The text with spaces before it, at least `width` columns wide. */
export function padStart(text: string, width: number): string {
  return fillOf(text, width) + text;
}

function fillOf(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** The text cut to `width` columns, with an ellipsis if it was cut. */
export function clip(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes(text)) {
    const columns = displayWidth(segment);
    if (used + columns > width - 1) break;
    kept += segment;
    used += columns;
  }
  return `${kept}…`;
}

/** The text in lines of at most `width` columns, broken at spaces, or inside words that are too long (CJK text). */
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
    for (const { segment } of graphemes(word)) {
      if (displayWidth(line + segment) > width) {
        lines.push(line);
        line = '';
      }
      line += segment;
    }
  }
  lines.push(line);
  return lines;
}
