import { asText, type Json } from '../json.ts';

/** An array may have this many gaps beside one for each element: an index is a number that a service sends. */
const MAX_GAPS = 8;
/** Paths of more keys than this are left out. */
const MAX_KEYS = 64;

type Node = Map<string, Node> | string | number | boolean | null;

/** Arguments of a call that come as values with a path, such as `$.items[0].name`; texts come in pieces. */
export class PartialArguments {
  private readonly root: Map<string, Node> = new Map();

  /** Takes in one piece; what it cannot place is left out. */
  add(piece: Json): void {
    const path = asText(piece.jsonPath);
    if (path === undefined) return;
    const keys = path
      .replace(/^\$/, '')
      .split(/[.[\]'"]+/)
      .filter((key) => key !== '');
    const last = keys.pop();
    if (last === undefined || keys.length > MAX_KEYS) return;
    let at = this.root;
    for (const key of keys) {
      const next = at.get(key);
      const node: Map<string, Node> = next instanceof Map ? next : new Map();
      at.set(key, node);
      at = node;
    }
    const value = piece.stringValue ?? piece.numberValue ?? piece.boolValue ?? null;
    const before = at.get(last);
    if (typeof value === 'string') at.set(last, (typeof before === 'string' ? before : '') + value);
    else if (typeof value === 'number' || typeof value === 'boolean' || value === null) at.set(last, value);
  }

  /** The JSON text of all that came. */
  text(): string {
    return JSON.stringify(plain(this.root));
  }
}

function plain(node: Node): unknown {
  if (!(node instanceof Map)) return node;
  const keys = [...node.keys()];
  const end = keys.reduce((most, key) => Math.max(most, /^\d+$/.test(key) ? Number(key) + 1 : Number.NaN), 0);
  // Not a number where a key is none: then it is an object.
  if (!(end > 0 && end <= 2 * keys.length + MAX_GAPS))
    return Object.fromEntries([...node].map(([key, value]) => [key, plain(value)]));
  const list: unknown[] = Array.from({ length: end }, () => null);
  for (const [key, value] of node) list[Number(key)] = plain(value);
  return list;
}
