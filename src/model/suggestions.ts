// Similar names, for "did you mean" hints.

/** The candidates within a small edit distance of `name` (or that contain it), nearest first; at most three. */
export function nearNames(name: string, candidates: readonly string[]): string[] {
  const wanted = name.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  return candidates
    .map((candidate) => {
      const other = candidate.toLowerCase();
      // One or two letters are part of many names.
      const contained =
        Math.min(wanted.length, other.length) >= 3 && (other.includes(wanted) || wanted.includes(other));
      const distance = editDistance(wanted, other);
      return { candidate, score: contained ? Math.min(distance, limit) : distance };
    })
    .filter(({ score }) => score <= limit)
    .sort((a, b) => a.score - b.score || a.candidate.localeCompare(b.candidate))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `did you mean "x" or "y"?`, or the whole list if no name is similar. */
export function suggest(name: string, candidates: readonly string[]): string {
  const near = nearNames(name, candidates);
  if (near.length > 0) return `did you mean ${near.map((n) => `"${n}"`).join(' or ')}?`;
  return `known: ${candidates.join(', ')}`;
}

// Damerau-Levenshtein (optimal string alignment): a swap of neighbours counts as one edit.
// `!`: the matrix is filled row by row, and only filled cells are read.
// leven and fastest-levenshtein count a swap as two edits, which would miss short names such as "rnu" for "run".
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
