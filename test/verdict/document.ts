import { readFileSync, writeFileSync } from 'node:fs';

/** Writes a table into docs/verdict.md, between the comments that bear its name. */
export function writeIntoDocument(path: string, name: string, text: string): void {
  const document = readFileSync(path, 'utf8');
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`${path} has no place for ${name}`);
  writeFileSync(path, `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`);
}
