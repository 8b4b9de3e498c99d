import type { BrokenEntry } from './dataset-entry.ts';

const REMEDY =
  'quote fields that contain quotes, commas or line breaks, and double the quotes inside (RFC 4180)';

/** The fields of one CSV record without its line break (RFC 4180), or why it is invalid. */
export function csvRecord(text: string): { fields: string[] } | BrokenEntry {
  const fields: string[] = [];
  for (let at = 0; ; ) {
    if (text[at] === '"') {
      let value = '';
      for (let from = at + 1; ; ) {
        const quote = text.indexOf('"', from);
        if (quote === -1)
          return { cause: `the quote in field ${fields.length + 1} is not closed`, remedy: REMEDY };
        value += text.slice(from, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        value += '"';
        from = at + 1;
      }
      if (at < text.length && text[at] !== ',') {
        return { cause: `text after the closing quote of field ${fields.length + 1}`, remedy: REMEDY };
      }
      fields.push(value);
    } else {
      const comma = text.indexOf(',', at);
      const value = text.slice(at, comma === -1 ? undefined : comma);
      if (value.includes('"')) {
        return { cause: `a quote inside the unquoted field ${fields.length + 1}`, remedy: REMEDY };
      }
      fields.push(value);
      at = comma === -1 ? text.length : comma;
    }
    if (at >= text.length) return { fields };
    at += 1;
  }
}
