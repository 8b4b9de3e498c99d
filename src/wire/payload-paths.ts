import { parseJson } from './json.ts';

// Finds text in the JSON payloads of a stream whose dialect is unknown, to suggest a `textPath`.

/** The JSON and text found in the first payloads of a stream. */
export interface PayloadFacts {
  /** Payloads examined. */
  events: number;
  /** Payloads that are JSON objects. */
  json: number;
  /** Paths with text, the most likely answer first, each with the number of payloads that have it. */
  paths: [path: string, events: number][];
}

/** Payloads examined: parsing all of them would disturb the measurement. */
const MAX_EVENTS = 100;
const MAX_PATHS = 60;
const MAX_REPORTED_PATHS = 6;
const MAX_DEPTH = 6;
/** Fields in which services usually send text. */
const USUAL_KEYS = /(^|\.)(text|content|delta|token|answer|response|message|chunk|output|output_text)$/i;

interface Leaf {
  events: number;
  changes: number;
  last: string;
}

/** Examines the payloads of one stream, in bounded memory. */
export class PayloadTally {
  private events = 0;
  private json = 0;
  private readonly leaves = new Map<string, Leaf>();

  add(data: string): void {
    if (this.events >= MAX_EVENTS || data === '[DONE]' || data === '') return;
    this.events++;
    const value = data.startsWith('{') ? parseJson(data) : undefined;
    if (value === undefined) return;
    this.json++;
    this.walk(value, '', 0);
  }

  /** Undefined if no payload was JSON. */
  result(): PayloadFacts | undefined {
    if (this.json === 0) return undefined;
    const rank = (path: string, { changes, events }: Leaf) =>
      (USUAL_KEYS.test(path) ? 1000 : 0) + changes + events / 1000;
    const paths = [...this.leaves]
      .sort(([a, x], [b, y]) => rank(b, y) - rank(a, x))
      .slice(0, MAX_REPORTED_PATHS)
      .map(([path, { events }]): [string, number] => [path, events]);
    return { events: this.events, json: this.json, paths };
  }

  private walk(value: unknown, path: string, depth: number): void {
    if (typeof value === 'string') {
      if (value !== '' && path !== '') this.count(path, value);
    } else if (typeof value === 'object' && value !== null && depth < MAX_DEPTH) {
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
    } else if (this.leaves.size < MAX_PATHS) {
      this.leaves.set(path, { events: 1, changes: 0, last: text });
    }
  }
}

/** The paths as text: `text (40 of 70), status (30 of 70)`. */
export function pathsInWords({ events, paths }: PayloadFacts): string {
  return paths.map(([path, count]) => `${path} (${count} of ${events})`).join(', ');
}
