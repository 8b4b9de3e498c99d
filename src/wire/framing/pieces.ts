const MOST_SMALL = 1_024;

/**
 * A text that comes in pieces. They are joined once, when it is whole, so that a long text costs linear time; and many
 * small pieces are joined into larger ones, so that a sender of single bytes costs no more memory than its text.
 */
export class Pieces {
  /** Characters so far. */
  length = 0;
  private large: string[] = [];
  private small: string[] = [];

  get isEmpty(): boolean {
    return this.length === 0;
  }

  add(piece: string): void {
    if (piece === '') return;
    this.length += piece.length;
    if (this.small.push(piece) < MOST_SMALL) return;
    this.large.push(this.small.join(''));
    this.small = [];
  }

  /** The whole text. Nothing is kept. */
  take(): string {
    if (this.length === 0) return '';
    const text = this.large.length === 0 ? this.small.join('') : this.large.join('') + this.small.join('');
    this.large = [];
    this.small = [];
    this.length = 0;
    return text;
  }
}
