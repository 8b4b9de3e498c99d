/** An element of a parsed document. */
export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  /** The text directly inside, entities resolved. */
  text: string;
}

const TOKEN = /<\?[^?]*\?>|<\/([\w-]+)\s*>|<([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Parses XML without doctype, comments and CDATA, strictly: throws at anything else, and at what XML 1.0 forbids. */
export function parseXml(source: string): Element {
  const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(source);
  if (forbidden) throw new Error(`a character that XML forbids at ${forbidden.index}`);
  const top: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(source);
    if (!token) throw new Error(`not XML at ${at}: ${source.slice(at, at + 60)}`);
    const [, closed, opened, attributes, empty, text] = token;
    const parent = open.at(-1)!;
    if (closed !== undefined) {
      if (open.pop()!.name !== closed) throw new Error(`</${closed}> closes <${parent.name}>`);
    } else if (opened !== undefined) {
      const element: Element = { name: opened, attributes: {}, children: [], text: '' };
      for (const [, key, value] of attributes!.matchAll(/([\w-]+)="([^"]*)"/g)) {
        if (key! in element.attributes) throw new Error(`${key} twice`);
        element.attributes[key!] = unescaped(value!);
      }
      parent.children.push(element);
      if (empty !== '/') open.push(element);
    } else if (text !== undefined) parent.text += unescaped(text);
  }
  if (open.length !== 1 || top.children.length !== 1) throw new Error('not one whole element');
  return top.children[0]!;
}

function unescaped(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|(\w*));?/g, (reference, code, name) => {
    if (code !== undefined) return String.fromCodePoint(Number(code));
    if (!reference.endsWith(';') || NAMED[name] === undefined) throw new Error(`bare & in ${text}`);
    return NAMED[name];
  });
}
