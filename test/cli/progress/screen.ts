import { displayWidth } from '../../../src/report/text-width.ts';

/**
 * As much of a terminal as a live view needs: lines, wrapping at the last column, the cursor, and text that is broken anew when
 * the width changes. Throws for a control sequence that it does not know.
 */
export class Screen {
  columns: number;
  rows = 24;
  readonly written: string[] = [];
  onWrite: (() => void) | undefined;
  /** Rows of the screen. `wrapped`: continues the row above. */
  private grid: { text: string; wrapped: boolean }[] = [{ text: '', wrapped: false }];
  private row = 0;
  private column = 0;

  constructor(columns: number) {
    this.columns = columns;
  }

  write(text: string): boolean {
    this.written.push(text);
    this.onWrite?.();
    for (const [part, up] of text.matchAll(
      /\u001b\[(?:(\d+)A|K|J|[\d;]*m)|[\r\n]|[^\r\n\u001b]|\u001b.{0,3}/gsu,
    )) {
      if (up !== undefined) this.row = Math.max(0, this.row - Number(up));
      else if (part === '\r') this.column = 0;
      else if (part === '\n') this.lineFeed(false);
      else if (part.endsWith('K')) this.truncate();
      else if (part.endsWith('J') && part.startsWith('\u001b')) {
        this.truncate();
        this.grid.length = this.row + 1;
      } else if (part.startsWith('\u001b')) {
        if (!part.endsWith('m')) throw new Error(`unknown control sequence ${JSON.stringify(part)}`);
      } else this.put(part);
    }
    return true;
  }

  /** The rows without empty ones at the end. */
  lines(): string[] {
    const rows = this.grid.map(({ text }) => text.trimEnd());
    while (rows.at(-1) === '') rows.pop();
    return rows;
  }

  /** Breaks the text anew, as most terminals do. The cursor stays in its row of the text. */
  resize(columns: number): void {
    const before = this.grid;
    const cursor = before[this.row];
    this.columns = columns;
    const whole: { text: string; holdsCursor: boolean }[] = [];
    for (const row of before) {
      const last = whole.at(-1);
      if (row.wrapped && last !== undefined) last.text += row.text;
      else whole.push({ text: row.text, holdsCursor: false });
      if (row === cursor) whole.at(-1)!.holdsCursor = true;
    }
    this.grid = [];
    for (const { text, holdsCursor } of whole) {
      this.grid.push({ text: '', wrapped: false });
      for (const char of text) {
        if (displayWidth(this.grid.at(-1)!.text + char) > columns)
          this.grid.push({ text: '', wrapped: true });
        this.grid.at(-1)!.text += char;
      }
      if (holdsCursor) this.row = this.grid.length - 1;
    }
  }

  private put(char: string): void {
    const width = displayWidth(char);
    if (this.column + width > this.columns) {
      this.lineFeed(true);
    }
    const row = this.grid[this.row]!;
    row.text = cut(row.text, 0, this.column).padEnd(this.column) + char + cut(row.text, this.column + width);
    this.column += width;
  }

  private lineFeed(wrapped: boolean): void {
    this.row++;
    this.column = 0;
    if (this.row === this.grid.length) this.grid.push({ text: '', wrapped });
    else this.grid[this.row]!.wrapped = wrapped;
  }

  private truncate(): void {
    const row = this.grid[this.row]!;
    row.text = cut(row.text, 0, this.column);
  }
}

/** The characters between two columns. */
function cut(text: string, from: number, to = Number.POSITIVE_INFINITY): string {
  let at = 0;
  let kept = '';
  for (const char of text) {
    if (at >= from && at < to) kept += char;
    at += displayWidth(char);
  }
  return kept;
}
