const PAGE = 65_536;

/** Remembers which numbers came, a bit each. */
export class Seen {
  // Not one array: a damaged record may hold any number.
  private readonly pages = new Map<number, Uint8Array>();

  /** Takes in a whole number of 0 or more. False where it came before. */
  add(value: number): boolean {
    const page = Math.floor(value / PAGE);
    let bits = this.pages.get(page);
    if (bits === undefined) {
      bits = new Uint8Array(PAGE / 8);
      this.pages.set(page, bits);
    }
    const at = value % PAGE;
    const mask = 1 << (at & 7);
    const isNew = (bits[at >> 3]! & mask) === 0;
    bits[at >> 3]! |= mask;
    return isNew;
  }
}
