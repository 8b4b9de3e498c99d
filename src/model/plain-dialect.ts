const PLAIN: ReadonlySet<string> = new Set(['sse', 'ndjson', 'raw']);

/** True for the dialects of endpoints of any kind: they know the framing of a stream and nothing of its content. */
export function isPlainDialect(dialect: string): boolean {
  return PLAIN.has(dialect);
}
