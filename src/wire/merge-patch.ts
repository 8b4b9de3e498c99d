import { asObject, type Json } from './json.ts';

/**
 * `target` with `patch` applied as a JSON Merge Patch (RFC 7396): objects are merged at any depth, `null` removes what is
 * there, and anything else, lists included, takes its place.
 */
export function mergePatch(target: Json, patch: Json): Json {
  return merge(target, patch, false);
}

/** One patch that does what `first` and then `second` would do. Its nulls stay: they still remove. */
export function joinPatches(first: Json | undefined, second: Json | undefined): Json | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return merge(first, second, true);
}

function merge(target: Json, patch: Json, keepNulls: boolean): Json {
  // A map, because a key named __proto__ must stay a key.
  const merged = new Map<string, unknown>(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    const inner = asObject(value);
    if (value === null && !keepNulls) merged.delete(key);
    else if (inner === undefined) merged.set(key, value);
    // An object in the patch may hold nulls of its own, also where it meets nothing to merge with.
    else merged.set(key, merge(asObject(merged.get(key)) ?? {}, inner, keepNulls));
  }
  return Object.fromEntries(merged);
}
