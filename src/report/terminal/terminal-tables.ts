import Table from 'cli-table3';
import { DASH } from '../../model/format.ts';
import { type Column, DEFAULT_DETAIL, type Detail } from '../columns.ts';
import { clip, displayWidth } from '../text-width.ts';

/** Tables that fit the terminal: columns of low priority are hidden until no border wraps. */

/** The properties of the terminal. */
export interface TerminalOptions {
  /** Width in columns. */
  width: number;
  /** Color level as in chalk: 0 none (no escape codes), 1 basic, 2 256 colors, 3 true color. */
  color: 0 | 1 | 2 | 3;
  /** The percentiles of figures with several. Default: p50 and p95. The narrower the terminal, the fewer are shown. */
  percentiles?: Detail;
  /** Draw curves with characters that every terminal has. Default: false. */
  ascii?: boolean;
}

/** How a table is drawn. */
interface TableOptions<Row> {
  /** Width of the terminal in columns. */
  width: number;
  /** The percentiles to show. Default: p50 and p95. */
  percentiles?: Detail;
  /** The rows that decide which columns are shown, for several tables with the same columns. Default: the table's rows. */
  alike?: readonly Row[];
  heading(text: string): string;
  paint(text: string, column: Column<Row>, row: Row): string;
  /** The text in place of a row's measured figures; undefined to show the figures. */
  instead(row: Row): string | undefined;
  /** Whether a line is drawn between `before` and this row. */
  ruled(row: Row, before: Row): boolean;
}

/** A drawn table. */
export interface FittedTable {
  text: string;
  detail: Detail;
  /** Titles of the hidden columns. */
  hidden: string[];
}

const PADDING = 2;
const LABEL_MAX = 28;
const LABEL_MIN = 4;
// In less space the text would be unreadable; the list of failures has it in full.
const INSTEAD_MIN = 16;

const FRAME = {
  top: '─',
  'top-mid': '┬',
  'top-left': '╭',
  'top-right': '╮',
  bottom: '─',
  'bottom-mid': '┴',
  'bottom-left': '╰',
  'bottom-right': '╯',
  left: '│',
  right: '│',
  middle: '│',
  mid: '',
  'left-mid': '',
  'mid-mid': '',
  'right-mid': '',
};
const RULE = { mid: '─', 'left-mid': '├', 'mid-mid': '┼', 'right-mid': '┤' };

interface Layout<Row> {
  columns: Column<Row>[];
  detail: Detail;
  /** Width of each column's text. */
  widths: number[];
}

/** True if the columns that are always shown fit with both percentiles. */
export function fits<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { width, percentiles = DEFAULT_DETAIL }: Pick<TerminalOptions, 'width' | 'percentiles'>,
): boolean {
  return measure(rows, keep(columns, 1), percentiles).fits(width);
}

/** Draws the rows in at most `width` columns, if `width` is at least about 40. */
export function fitTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: TableOptions<Row>,
): FittedTable {
  const { percentiles = DEFAULT_DETAIL, alike = rows } = options;
  const { columns: shown, detail, widths } = layoutFor(alike, columns, percentiles, options.width);
  return {
    text: draw(rows, { columns: shown, detail, widths }, options),
    detail,
    hidden: columns.filter((column) => !shown.includes(column)).map(({ title }) => title),
  };
}

function layoutFor<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  percentiles: Detail,
  width: number,
): Layout<Row> {
  const byWorth = [...columns].sort((a, b) => a.drop - b.drop);
  // All percentiles of the main metrics are worth more than the medians of all metrics.
  const attempts: [Detail, number][] = [
    [percentiles, 1],
    [percentiles.slice(0, 1), 0],
  ];
  for (const [detail, least] of attempts) {
    let layout = measure(rows, keep(columns, least), detail);
    if (!layout.fits(width)) continue;
    for (const column of byWorth.filter(({ drop }) => drop > least)) {
      const wider = columns.filter((one) => one === column || layout.columns.includes(one));
      const attempt = measure(rows, wider, detail);
      if (attempt.fits(width)) layout = attempt;
    }
    return layout;
  }
  return squeeze(measure(rows, keep(columns, 0), percentiles.slice(0, 1)), width);
}

function keep<Row>(columns: readonly Column<Row>[], limit: number): Column<Row>[] {
  return columns.filter(({ drop }) => drop <= limit);
}

function measure<Row>(rows: readonly Row[], columns: Column<Row>[], detail: Detail) {
  const widths = columns.map((column) => {
    const texts = [column.title, ...rows.map((row) => column.text(row, detail))];
    const widest = Math.max(...texts.map(displayWidth));
    return column.align === 'left' ? Math.min(LABEL_MAX, widest) : widest;
  });
  return { columns, detail, widths, fits: (width: number) => outerWidth(widths) <= width };
}

function outerWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + PADDING + 1, 1);
}

/** Narrows the label columns, widest first, until the table fits. */
function squeeze<Row>({ columns, detail, widths }: Layout<Row>, width: number): Layout<Row> {
  const squeezed = [...widths];
  while (outerWidth(squeezed) > width) {
    const labels = columns.flatMap(({ align }, index) => (align === 'left' ? [squeezed[index]!] : []));
    const longest = Math.max(0, ...labels);
    if (longest <= LABEL_MIN) break;
    squeezed[columns.findIndex(({ align }, index) => align === 'left' && squeezed[index] === longest)]! -= 1;
  }
  return { columns, detail, widths: squeezed };
}

function draw<Row>(rows: readonly Row[], layout: Layout<Row>, options: TableOptions<Row>): string {
  const { columns, detail, widths } = layout;
  const table = new Table({
    chars: FRAME,
    // cli-table3 colors heads and borders on any terminal, unless both lists are empty.
    style: { head: [], border: [] },
    colWidths: widths.map((width) => width + PADDING),
    colAligns: columns.map(({ align }) => align),
  });
  table.push(columns.map(({ title }, index) => ({ content: options.heading(clip(title, widths[index]!)) })));
  const measured = columns.findIndex((column) => column.measured);
  const spanned = widths.slice(measured).reduce((sum, width) => sum + width + PADDING + 1, -PADDING - 1);
  let afterSpan = false;
  for (const [index, row] of rows.entries()) {
    const instead = measured === -1 ? undefined : options.instead(row);
    // A spanned cell needs a line above and below; without them cli-table3 draws stray corners.
    const before = rows[index - 1];
    const ruled = before === undefined || afterSpan || instead !== undefined || options.ruled(row, before);
    const chars = ruled ? RULE : {};
    const cells = (instead === undefined ? columns : columns.slice(0, measured)).map((column, place) => ({
      content: options.paint(clip(column.text(row, detail), widths[place]!), column, row),
      chars,
    }));
    table.push(
      instead === undefined
        ? cells
        : [
            ...cells,
            {
              content: spanned < INSTEAD_MIN ? DASH : clip(instead, spanned),
              colSpan: columns.length - measured,
              hAlign: 'left',
              chars,
            },
          ],
    );
    afterSpan = instead !== undefined;
  }
  return table.toString();
}
