import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
} from 'yaml';
import { type Place, type Problem, UserError } from '../model/errors.ts';
import { formatPath, type Path } from './value-paths.ts';

/** A document together with the knowledge of where each part of it was written. */
export interface Source {
  /** The file as the user named it. */
  file: string;
  value: unknown;
  /**
   * Where the value at `path` was written; with `key`, where its key was. A part that is not there is placed at
   * the nearest one around it.
   */
  place(path: Path, at?: 'key' | 'value'): Place;
  /** True for a document whose every word is from the command line. */
  fromFlags?: boolean;
  /** True for a text in quotes, which stays text whatever it says. */
  quoted(path: Path): boolean;
}

/** Reads YAML, and with it JSON. Throws a `UserError` (`scenario_syntax`) with everything that is wrong. */
export function yamlSource(text: string, file: string): Source {
  const lines = new LineCounter();
  // Its warnings are reported below; it would print them as well, with a stack.
  const options = { prettyErrors: false, merge: true, logLevel: 'error' } as const;
  const document = parseDocument(text, { lineCounter: lines, ...options });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const wrong = [...document.errors, ...document.warnings];
  // One mistake makes a reader stumble over the rest of its line: the first complaint of each line is enough.
  const byLine = new Map<number | undefined, Problem>();
  for (const { code, message, pos } of wrong) {
    const place = placeOf(pos[0]);
    if (!byLine.has(place.line)) byLine.set(place.line, syntaxProblem(code, message, place, text));
  }
  if (byLine.size > 0) throw new UserError('scenario_syntax', [...byLine.values()]);
  if (document.contents === null) {
    throw new UserError('scenario_syntax', {
      message: 'the file is empty',
      place: { file, line: 1, column: 1 },
      hint: 'a scenario begins with version: 1, targets and prompts; `streambench schema` knows the rest',
    });
  }
  const value = plainValue(document, file);
  const place: Source['place'] = (path, at = 'value') => {
    const offset = offsetOf(document, path, at);
    return offset === undefined ? { file } : placeOf(offset);
  };
  const cycle = cycleIn(value);
  if (cycle !== undefined) {
    throw new UserError('scenario_syntax', {
      message: `${formatPath(cycle)} is an alias of what it is a part of`,
      place: place(cycle, 'key'),
      hint: 'an alias (*name) may not stand inside of its own anchor (&name)',
    });
  }
  return {
    file,
    value,
    place,
    quoted(path) {
      const node = walk(document, path).node;
      return isScalar(node) && node.type !== undefined && node.type !== 'PLAIN';
    },
  };
}

function syntaxProblem(code: string, message: string, place: Place, text: string): Problem {
  const line = text.split('\n')[(place.line ?? 1) - 1] ?? '';
  // `{` and `}` end a plain text inside a flow mapping, so a reference there needs quotes.
  if (/[{[,][^"']*\$\{env:/.test(line)) {
    return { message, place, hint: `inside { } and [ ], write "\${env:NAME}" in quotes` };
  }
  if (code === 'BLOCK_AS_IMPLICIT_KEY') {
    return { message, place, hint: 'a text with a colon and a space in it needs quotes' };
  }
  return { message, place };
}

function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // Aliases that multiply beyond reason, or that name no anchor.
    const message = error instanceof Error ? error.message : String(error);
    throw new UserError('scenario_syntax', { message, place: { file } });
  }
}

/** The path of the first mapping or list that contains itself; undefined where none does. */
export function cycleIn(value: unknown, path: Path = [], around: readonly object[] = []): Path | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (around.includes(value)) return path;
  const inside = [...around, value];
  for (const [key, item] of Object.entries(value)) {
    const found = cycleIn(item, [...path, Array.isArray(value) ? Number(key) : key], inside);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Found {
  /** The node at the end of the path, or the last one on the way there. */
  node: Node | undefined;
  /** The key that led to it; undefined in a list and at the top. */
  key: Node | undefined;
}

function walk(document: Document, path: Path): Found {
  let found: Found = { node: document.contents ?? undefined, key: undefined };
  for (const part of path) {
    const next = step(document, found.node, part);
    if (next === undefined) return found;
    found = next;
  }
  return found;
}

function step(document: Document, from: Node | undefined, part: string | number): Found | undefined {
  const node = isAlias(from) ? from.resolve(document) : from;
  if (isSeq(node)) {
    const item = node.items[Number(part)];
    return isNode(item) ? { node: item, key: undefined } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pairs = node.items as readonly Pair<Node, Node | null>[];
  const pair = pairs.find(({ key }) => isScalar(key) && String(key.value) === String(part));
  if (pair !== undefined) return { node: pair.value ?? undefined, key: pair.key };
  return mergedStep(document, pairs, part);
}

// What `<<: *other` or `<<: [*one, *other]` brings in. (The reader turns the key's value into a symbol.)
function mergedStep(document: Document, pairs: readonly Pair<Node, Node | null>[], part: string | number) {
  const merge = pairs.find(({ key }) => isScalar(key) && key.source === '<<')?.value ?? undefined;
  const from = isAlias(merge) ? merge.resolve(document) : merge;
  for (const source of isSeq(from) ? from.items : [from]) {
    const found = isNode(source) ? step(document, source, part) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function offsetOf(document: Document, path: Path, at: 'key' | 'value'): number | undefined {
  const { node, key } = walk(document, path);
  const empty = node?.range === undefined || node.range === null || node.range[0] === node.range[1];
  // A key with nothing behind it has its value "somewhere after": the key is the better place.
  const best = (at === 'key' || empty) && key?.range ? key : node;
  return best?.range?.[0];
}

/** Which of the command line's words gave a part of a document. */
export interface Origin {
  path: Path;
  /** The words, such as `--concurrency 1,8`. */
  from: string;
}

/** A document that was made from the command line: its parts are placed at the words that gave them. */
export function flagSource(value: unknown, origins: readonly Origin[]): Source {
  return {
    file: 'command line',
    value,
    place(path) {
      for (let length = path.length; length > 0; length--) {
        const origin = origins.find((one) => one.path.join('.') === path.slice(0, length).join('.'));
        if (origin !== undefined) return { file: origin.from };
      }
      return { file: 'command line' };
    },
    fromFlags: true,
    quoted: () => false,
  };
}
