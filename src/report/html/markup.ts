import { visible } from '../../model/visible.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element or a quoted attribute of a page. Names come from files and servers. */
function escapeHtml(text: string): string {
  return visible(text).replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** HTML that is safe to put into a page. */
export class Markup {
  readonly text: string;

  /** `text` must be escaped already; `html` does that. */
  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes: text, which is escaped, markup, which is not, and lists of both. Undefined gives nothing. */
type Content = string | number | Markup | undefined | readonly Content[];

/** A template for HTML: everything that is put in is escaped, unless it is markup itself. Attributes must be quoted. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  const [first = '', ...others] = parts;
  return new Markup(first + others.map((part, at) => textOf(contents[at]) + part).join(''));
}

function textOf(content: Content): string {
  if (content === undefined) return '';
  if (content instanceof Markup) return content.text;
  return typeof content === 'object' ? content.map(textOf).join('') : escapeHtml(String(content));
}

const IN_SCRIPT = /[<>&\u2028\u2029]/g;

/**
 * A value as JSON for a `script` element of type `application/json`. No text in it can end the element or begin a comment: `<`, `>`,
 * `&` and the line separators of JavaScript are escaped. It parses to the same value.
 */
export function embeddedJson(value: unknown): Markup {
  const json = JSON.stringify(value);
  return new Markup(
    json.replaceAll(IN_SCRIPT, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
