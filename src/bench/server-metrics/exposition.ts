/** Reading the Prometheus text format. */

/** One series of a metric. */
export interface Series {
  labels: ReadonlyMap<string, string>;
  /** May be infinite or NaN. */
  value: number;
}

/** The series of an exposition by metric name (of histograms with the suffix `_bucket`, `_sum` or `_count`). */
export type Exposition = ReadonlyMap<string, readonly Series[]>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/** Parses the series of the metrics for which `wanted` holds. Lines that are no series are ignored. */
export function parseExposition(text: string, wanted: (name: string) => boolean): Exposition {
  const found = new Map<string, Series[]>();
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const [, name, labels = '', value = ''] = LINE.exec(line) ?? [];
    if (name === undefined || !wanted(name)) continue;
    const series = { labels: labelsOf(labels), value: numberOf(value) };
    const others = found.get(name);
    if (others) others.push(series);
    else found.set(name, [series]);
  }
  return found;
}

function labelsOf(text: string): Map<string, string> {
  return new Map(
    Array.from(text.matchAll(LABEL), ([, name = '', value = '']) => [
      name,
      value.replaceAll(/\\["n\\]/g, (sequence) => ESCAPES[sequence] ?? sequence),
    ]),
  );
}

/** A value as it is written: `+Inf`, `-Inf` and `NaN` beside numbers. */
function numberOf(text: string): number {
  if (/^[+-]?inf$/i.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

/** The upper bound of a bucket. */
export function boundOf({ labels }: Series): number {
  return numberOf(labels.get('le') ?? '');
}
