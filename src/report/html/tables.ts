import { html, type Markup } from './markup.ts';

/** One column of a table. */
export interface TableColumn {
  title: string;
  align: 'left' | 'right';
}

/** One cell of a table: its text, and what the table is sorted by if that is not the text. */
export type TableCell = string | { text: string; order?: number | null; tone?: string };

/** A table that can be sorted; wider than the page, it scrolls by itself. */
export function table(
  caption: string,
  columns: readonly TableColumn[],
  rows: readonly (readonly TableCell[])[],
): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table class="sortable"><caption>${caption}</caption>
<thead><tr>${columns.map(({ title, align }) => html`<th scope="col" class="${align}">${title}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((cell, at) => tableCell(cell, columns[at]?.align ?? 'left'))}</tr>\n`)}</tbody>
</table></div>
`;
}

/** A longer text is broken into lines. */
const LONG_TEXT = 48;

function tableCell(cell: TableCell, align: string): Markup {
  if (typeof cell === 'string') return tableCell({ text: cell }, align);
  const classes = [align, cell.tone, cell.text.length > LONG_TEXT ? 'long' : undefined];
  const order = cell.order === undefined ? undefined : html` data-order="${cell.order ?? ''}"`;
  return html`<td class="${classes.filter((name) => name !== undefined).join(' ')}"${order}>${cell.text}</td>`;
}

/** Sentences as a list; nothing without any. */
export function list(sentences: readonly string[]): Markup[] {
  return sentences.length === 0
    ? []
    : [html`<ul>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>`];
}
