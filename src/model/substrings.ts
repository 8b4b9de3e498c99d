const SYMBOLS = 256;
const NONE = 0;

/**
 * Every substring of some texts, as a suffix automaton: it reads a text character by character and knows after each one
 * how many of the last characters stand together in one of the texts. The case of ASCII letters does not count. Built in
 * linear time; each step takes constant time on average.
 */
export class Substrings {
  // The transitions of all states, one table row each: a step is one look into memory. No transition leads to the
  // beginning, so that state stands for none.
  private next = new Uint32Array(64 * SYMBOLS);
  private readonly length: number[] = [0];
  private readonly link: number[] = [-1];

  constructor(texts: Iterable<string>) {
    for (const text of texts) {
      let last = 0;
      for (let i = 0; i < text.length; i++) last = this.extend(last, symbolOf(text.charCodeAt(i)));
    }
  }

  /** A reader at the beginning of a text. */
  reader(): SubstringReader {
    const { next, length, link } = this;
    let state = 0;
    let matched = 0;
    return {
      // HOT PATH: runs for every character of an answer.
      step(code) {
        const symbol = symbolOf(code);
        let to = next[state * SYMBOLS + symbol]!;
        while (to === NONE && state !== 0) {
          state = link[state]!;
          matched = length[state]!;
          to = next[state * SYMBOLS + symbol]!;
        }
        if (to === NONE) return 0;
        state = to;
        return ++matched;
      },
    };
  }

  private extend(last: number, symbol: number): number {
    const known = this.to(last, symbol);
    if (known !== NONE) {
      return this.length[known] === this.length[last]! + 1 ? known : this.split(known, last, symbol);
    }
    const added = this.add(this.length[last]! + 1);
    let at = last;
    while (at !== -1 && this.to(at, symbol) === NONE) {
      this.next[at * SYMBOLS + symbol] = added;
      at = this.link[at]!;
    }
    if (at === -1) return added;
    const to = this.to(at, symbol);
    this.link[added] = this.length[to] === this.length[at]! + 1 ? to : this.split(to, at, symbol);
    return added;
  }

  /** Splits the state `to`, for the substrings of it that the state `from` leads to. */
  private split(to: number, from: number, symbol: number): number {
    const copy = this.add(this.length[from]! + 1);
    this.next.copyWithin(copy * SYMBOLS, to * SYMBOLS, (to + 1) * SYMBOLS);
    this.link[copy] = this.link[to]!;
    this.link[to] = copy;
    for (let at = from; at !== -1 && this.to(at, symbol) === to; at = this.link[at]!) {
      this.next[at * SYMBOLS + symbol] = copy;
    }
    return copy;
  }

  private to(state: number, symbol: number): number {
    return this.next[state * SYMBOLS + symbol]!;
  }

  private add(length: number): number {
    const state = this.length.push(length) - 1;
    this.link.push(0);
    if ((state + 1) * SYMBOLS > this.next.length) {
      const larger = new Uint32Array(this.next.length * 2);
      larger.set(this.next);
      this.next = larger;
    }
    return state;
  }
}

/** Reads one text. */
export interface SubstringReader {
  /** Takes the next UTF-16 code unit. Returns the length of the longest known substring that ends with it. */
  step(code: number): number;
}

// Letters without their case. What is not ASCII shares a symbol with others: a secret hardly ever holds any.
function symbolOf(code: number): number {
  if (code >= 65 && code <= 90) return code + 32;
  return code < 128 ? code : 128 | (code & 127);
}
