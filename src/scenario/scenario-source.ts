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

/** A document with the place of each of its parts. */
export interface Source {
  /** The file as the user named it. */
  file: string;
  value: unknown;
  /**
   * The place of the value at `path`; with `key`, that of its key. A missing part has the place of the nearest part
   * around it.
   */
  place(path: Path, at?: 'key' | 'value'): Place;
  /** True for a document that was built from command line arguments. */
  fromFlags?: boolean;
  /** True for a quoted text, which stays text. */
  quoted(path: Path): boolean;
}

/** Parses YAML or JSON. Throws a `UserError` (`scenario_syntax`) with all syntax errors. */
export function yamlSource(text: string, file: string): Source {
  const lines = new LineCounter();
  // Warnings are reported below; with another log level yaml would print them too.
  const options = { prettyErrors: false, merge: true, logLevel: 'error' } as const;
  const document = parseDocument(text, { lineCounter: lines, ...options });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const wrong = [...document.errors, ...document.warnings];
  // Only the first error of each line: one mistake often causes several errors.
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
      hint: 'a scenario needs version: 1, targets and prompts; `streambench schema` prints all fields',
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
      message: `${formatPath(cycle)} is an alias of a mapping or list that contains it`,
      place: place(cycle, 'key'),
      hint: 'an alias (*name) cannot be used inside its own anchor (&name)',
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
    return { message, place, hint: `inside { } and [ ], put "\${env:NAME}" in quotes` };
  }
  if (code === 'BLOCK_AS_IMPLICIT_KEY') {
    return { message, place, hint: 'a text with a colon followed by a space needs quotes' };
  }
  return { message, place };
}

function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // Too many aliases, or an alias without an anchor.
    const message = error instanceof Error ? error.message : String(error);
    throw new UserError('scenario_syntax', { message, place: { file } });
  }
}

/** The path of the first mapping or list that contains itself; undefined if there is none. */
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
  /** The node at the end of the path, or the last existing one before it. */
  node: Node | undefined;
  /** The key of the node; undefined in a list and at the top. */
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

// Values merged by `<<: *other` or `<<: [*one, *other]`. (yaml represents the key `<<` as a symbol.)
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
  // An empty value has no useful place, so the key is used.
  const best = (at === 'key' || empty) && key?.range ? key : node;
  return best?.range?.[0];
}

/** The command line argument that set a part of a document. */
export interface Origin {
  path: Path;
  /** The argument, such as `--concurrency 1,8`. */
  from: string;
}

/** A document built from the command line. The place of a part is the argument that set it. */
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
