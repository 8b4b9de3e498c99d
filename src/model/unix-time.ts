// From here on a whole number is in milliseconds: as seconds it would be the year 5138.
const MILLISECONDS_FROM = 1e11;

/** Unix time in ms of an ISO 8601 time with a time zone, or of Unix time in seconds or milliseconds; undefined for other texts. */
export function unixTime(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const value = Number(text);
    const ms = value < MILLISECONDS_FROM ? value * 1000 : value;
    return Math.abs(ms) <= 8.64e15 ? ms : undefined;
  }
  // Without a time zone, each machine would read its own.
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*(Z|[+-]\d{2}:?\d{2})$/i.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
