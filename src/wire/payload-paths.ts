import { parseJson } from './json.ts';

/** Where the JSON payloads of a stream of no known dialect have text, so that the user can be told which path to give. */

/** What the first payloads of a stream hold. */
export interface PayloadFacts {
  /** Payloads that were looked at. */
  events: number;
  /** Those that are JSON objects. */
  json: number;
  /** Paths with text, the likeliest to be the answer first, and in how many payloads. */
  paths: [path: string, events: number][];
}

/** Payloads that are looked at: parsing them all would cost the measurement of others. */
const LOOKED_AT = 100;
const MOST_PATHS = 60;
const TOLD_PATHS = 6;
const DEPTH = 6;
/** Keys under which services usually send text. */
const USUAL = /(^|\.)(text|content|delta|token|answer|response|message|chunk|output|output_text)$/i;

interface Leaf {
  events: number;
  changes: number;
  last: string;
}

/** Looks at the payloads of one stream, in bounded memory. */
export class PayloadTally {
  private events = 0;
  private json = 0;
  private readonly leaves = new Map<string, Leaf>();

  add(data: string): void {
    if (this.events >= LOOKED_AT || data === '[DONE]' || data === '') return;
    this.events++;
    const value = data.startsWith('{') ? parseJson(data) : undefined;
    if (value === undefined) return;
    this.json++;
    this.walk(value, '', 0);
  }

  /** Undefined where no payload was JSON. */
  result(): PayloadFacts | undefined {
    if (this.json === 0) return undefined;
    const rank = (path: string, { changes, events }: Leaf) =>
      (USUAL.test(path) ? 1000 : 0) + changes + events / 1000;
    const paths = [...this.leaves]
      .sort(([a, x], [b, y]) => rank(b, y) - rank(a, x))
      .slice(0, TOLD_PATHS)
      .map(([path, { events }]): [string, number] => [path, events]);
    return { events: this.events, json: this.json, paths };
  }

  private walk(value: unknown, path: string, depth: number): void {
    if (typeof value === 'string') {
      if (value !== '' && path !== '') this.count(path, value);
    } else if (typeof value === 'object' && value !== null && depth < DEPTH) {
      for (const [key, inner] of Object.entries(value))
        this.walk(inner, path === '' ? key : `${path}.${key}`, depth + 1);
    }
  }

  private count(path: string, text: string): void {
    const leaf = this.leaves.get(path);
    if (leaf !== undefined) {
      leaf.events++;
      if (leaf.last !== text) leaf.changes++;
      leaf.last = text;
    } else if (this.leaves.size < MOST_PATHS) {
      this.leaves.set(path, { events: 1, changes: 0, last: text });
    }
  }
}

/** `text (40 of 70), status (30 of 70)`: the paths with text, in words. */
export function pathsInWords({ events, paths }: PayloadFacts): string {
  return paths.map(([path, count]) => `${path} (${count} of ${events})`).join(', ');
}
