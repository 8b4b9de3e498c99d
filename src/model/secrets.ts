/** Keeps secret values out of everything that is shown or stored. */

/** A secret and the text that stands in its place, such as `${env:OPENAI_API_KEY}`. */
export interface Secret {
  name: string;
  value: string;
}

/** Replaces every secret in a text by its name. */
export type Redact = (text: string) => string;

// A value this short (a port, a model size) would blank out innocent text wherever it occurs.
const MIN_LENGTH = 6;

/** A redactor for these secrets: longest first, in plain, JSON-escaped and URL-encoded spelling. */
export function createRedactor(secrets: readonly Secret[]): Redact {
  const spellings = new Map<string, string>();
  for (const { name, value } of secrets) {
    if (value.length < MIN_LENGTH) continue;
    for (const spelling of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]) {
      if (!spellings.has(spelling)) spellings.set(spelling, name);
    }
  }
  const ordered = [...spellings].sort(([a], [b]) => b.length - a.length);
  if (ordered.length === 0) return (text) => text;
  return (text) => ordered.reduce((result, [value, name]) => result.replaceAll(value, name), text);
}
