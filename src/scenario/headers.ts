import { UserError } from '../model/errors.ts';

/** The headers of `-H` lines. Throws a `UserError` (`usage`) for a line without a name; the line is not repeated. */
export function readHeaders(lines: readonly string[]): Record<string, string> | undefined {
  if (lines.length === 0) return undefined;
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      const name = line.slice(0, Math.max(at, 0)).trim();
      if (name === '') {
        // The line itself is not shown: it may be a key.
        throw new UserError('usage', {
          message: 'invalid header',
          place: { file: '--header' },
          hint: "write -H 'name: value'",
        });
      }
      return [name, line.slice(at + 1).trim()];
    }),
  );
}
