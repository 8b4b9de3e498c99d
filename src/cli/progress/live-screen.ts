import { displayWidth } from '../../report/text-width.ts';

/** The part of a terminal that a screen needs. */
export interface ScreenTerminal {
  /** Absent or 0 where it is not known. */
  columns?: number;
  rows?: number;
  /** The size as it is now. `columns` and `rows` are updated by a signal, which may come after the next frame. */
  getWindowSize?(): [columns: number, rows: number];
  write(text: string): unknown;
}

const CLEAR_TO_END_OF_LINE = '\u001b[K';
const CLEAR_TO_END_OF_SCREEN = '\u001b[J';

/**
 * The last lines of a terminal, drawn again in place. Each frame is one write, so a terminal never shows half of it. The
 * cursor stays visible, at the start of the line below: nothing has to be restored, whatever ends the process, and the `^C`
 * that a terminal echoes is overwritten by the next frame.
 */
export class LiveScreen {
  private readonly terminal: ScreenTerminal;
  private drawn: readonly string[] = [];

  constructor(terminal: ScreenTerminal) {
    this.terminal = terminal;
  }

  /** The width of the terminal in columns. */
  get width(): number {
    return this.size()[0];
  }

  /** Replaces what is shown by these lines. Lines that do not fit the height are left out. */
  draw(lines: readonly string[]): void {
    // The cursor needs a line as well.
    const shown = lines.slice(0, Math.max(0, this.size()[1] - 1));
    this.terminal.write(
      `${this.toTop()}${shown.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join('')}${CLEAR_TO_END_OF_SCREEN}`,
    );
    this.drawn = shown;
  }

  /** Removes what is shown. The next text appears in its place. */
  clear(): void {
    if (this.drawn.length === 0) return;
    this.terminal.write(`${this.toTop()}${CLEAR_TO_END_OF_SCREEN}`);
    this.drawn = [];
  }

  private size(): [columns: number, rows: number] {
    const { columns, rows } = this.terminal;
    const [width = columns, height = rows] = this.terminal.getWindowSize?.() ?? [];
    // A terminal of unknown size reports 0.
    return [width || 80, height || 24];
  }

  /** Moves to the start of the first line. A terminal that became narrower has broken the lines into several. */
  private toTop(): string {
    const { width, drawn } = this;
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(displayWidth(line) / width)), 0);
    return rows === 0 ? '\r' : `\r\u001b[${rows}A`;
  }
}
