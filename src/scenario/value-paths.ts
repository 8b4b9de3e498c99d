/** Paths into a document: keys of mappings and indexes of lists, from the top. */
export type Path = readonly (string | number)[];

/** `targets[0].model`, as problems name a field. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
}

/** True if `path` is `prefix` or below it. */
export function isWithin(path: Path, prefix: Path): boolean {
  return path.length >= prefix.length && prefix.every((part, index) => String(part) === String(path[index]));
}

/** The value at a path; undefined if there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** A deep copy of a JSON-like value without shared objects, with `scalar` applied to every value except mappings and lists. */
export function mapScalars(
  value: unknown,
  scalar: (value: unknown, path: Path) => unknown,
  path: Path = [],
): unknown {
  if (Array.isArray(value)) return value.map((item, index) => mapScalars(item, scalar, [...path, index]));
  if (typeof value !== 'object' || value === null) return scalar(value, path);
  // fromEntries defines own properties, so a key named __proto__ stays a key.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapScalars(item, scalar, [...path, key])]),
  );
}
