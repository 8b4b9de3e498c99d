import type { EventIds } from '../model/behaviour.ts';

/** Ids that are remembered where they do not count up. */
const REMEMBERED = 1_000;

const NUMBERED = /^(.*?)(\d{1,15})$/s;

/**
 * Follows the ids of one event stream, over all of its connections. If the ids of the first connection count up by one, every
 * later one is checked: a jump is a loss, a step back an event that came twice. Other ids are only compared with those before.
 */
export class EventIdTally {
  /** The server's `retry:` field, in ms. */
  retryMs: number | undefined;
  private count = 0;
  private lost = 0;
  private doubled = 0;
  private lastId: string | undefined;
  private highest: { prefix: string; number: number } | undefined;
  private connections = 1;
  /** Undefined until two ids came on the first connection. */
  private countsUp: boolean | undefined;
  private readonly recent = new Set<string>();

  /** The id to continue after; undefined if none came. An empty id resets it. */
  get last(): string | undefined {
    return this.lastId === '' ? undefined : this.lastId;
  }

  /** The next ids come on another connection. */
  reconnected(): void {
    this.connections++;
  }

  /** An event with an id. */
  add(id: string): void {
    this.count++;
    this.lastId = id;
    const [, prefix = '', digits] = NUMBERED.exec(id) ?? [];
    if (digits === undefined || this.countsUp === false) this.compare(id);
    else this.follow(id, { prefix, number: Number(digits) });
  }

  private follow(id: string, { prefix, number }: { prefix: string; number: number }): void {
    const { highest } = this;
    this.highest ??= { prefix, number };
    if (highest === undefined) {
      this.recent.add(id);
      return;
    }
    const step = prefix === highest.prefix ? number - highest.number : Number.NaN;
    if (this.connections === 1) this.countsUp = step === 1;
    if (!this.countsUp) this.compare(id);
    // Ids of another kind, such as those of a new stream.
    else if (Number.isNaN(step)) this.highest = { prefix, number };
    else if (step <= 0) this.doubled++;
    else {
      this.lost += step - 1;
      highest.number = number;
    }
  }

  /** Absent if no event had an id. */
  result(): EventIds | undefined {
    const { count, lastId, lost, doubled, countsUp } = this;
    if (lastId === undefined) return undefined;
    return { count, last: lastId, lost: countsUp ? lost : undefined, doubled };
  }

  private compare(id: string): void {
    if (this.recent.has(id)) this.doubled++;
    this.recent.add(id);
    if (this.recent.size <= REMEMBERED) return;
    const [oldest = ''] = this.recent;
    this.recent.delete(oldest);
  }
}

const utf8 = new TextEncoder();

/** An id as the value of a `last-event-id` header: its UTF-8 bytes, each as one character, which is how headers are sent. */
export function lastEventIdHeader(id: string): string {
  return Array.from(utf8.encode(id), (byte) => String.fromCharCode(byte)).join('');
}
