const SMALLEST = 16;
const LARGEST = 2048;

const NOTHING = new Float64Array(0);

/**
 * How many items the piece at this index of a list has: a list of few items is small, and one of many has little room that
 * is not used.
 */
export function pieceSize(index: number): number {
  return Math.min(LARGEST, SMALLEST * 2 ** index);
}

/**
 * A list of numbers that only grows, in typed arrays. It is never copied to make room: what a plain array leaves behind as
 * it grows is more than the numbers themselves, and is collected late.
 */
export class Numbers implements Iterable<number> {
  length = 0;
  private readonly pieces: Float64Array[] = [];
  private last = NOTHING;
  private used = 0;

  push(value: number): void {
    if (this.used === this.last.length) {
      this.last = new Float64Array(pieceSize(this.pieces.length));
      this.pieces.push(this.last);
      this.used = 0;
    }
    this.last[this.used++] = value;
    this.length += 1;
  }

  /** Keeps the first of every two. */
  dropEverySecond(): void {
    const { pieces } = this;
    const kept = new Numbers();
    let even = true;
    for (const value of this) {
      if (even) kept.push(value);
      even = !even;
    }
    pieces.splice(0, pieces.length, ...kept.pieces);
    this.last = kept.last;
    this.used = kept.used;
    this.length = kept.length;
  }

  *[Symbol.iterator](): Generator<number> {
    let left = this.length;
    for (const piece of this.pieces) {
      for (const value of piece.subarray(0, left)) yield value;
      left -= Math.min(left, piece.length);
    }
  }

  /** Writes all numbers to the beginning of an array that has room for them. */
  copyTo(target: Float64Array): void {
    let at = 0;
    for (const piece of this.pieces) {
      target.set(piece.subarray(0, this.length - at), at);
      at += piece.length;
    }
  }

  /** A copy, in order of size. */
  sorted(): Float64Array {
    const all = new Float64Array(this.length);
    this.copyTo(all);
    return all.sort();
  }
}
