const NONE = 0;

/**
 * Every substring of some texts, as a suffix automaton: it reads a text character by character and knows after each one
 * how many of the last characters stand together in one of the texts. The case of ASCII letters does not count. Built in
 * linear time; each step takes constant time on average. `!`: every state has an entry in each table.
 */
export class Substrings {
  // Characters are numbered from 1 in the order in which they first occur; all others have the number 0.
  private readonly ascii = new Uint16Array(128);
  private readonly others = new Map<number, number>();
  private readonly symbols: number;
  // The transitions of all states, one table row each: a step is one look into memory. No transition leads to the
  // initial state, so that state stands for none.
  private next: Uint32Array;
  private readonly length: number[] = [0];
  private readonly link: number[] = [-1];

  constructor(texts: Iterable<string>) {
    const all = [...texts];
    let symbols = 1;
    for (const text of all) {
      for (let i = 0; i < text.length; i++) {
        const code = folded(text.charCodeAt(i));
        if (this.symbolOf(code) === NONE) this.number(code, symbols++);
      }
    }
    this.symbols = symbols;
    this.next = new Uint32Array(64 * symbols);
    for (const text of all) {
      let last = 0;
      for (let i = 0; i < text.length; i++) last = this.extend(last, this.symbolOf(text.charCodeAt(i)));
    }
  }

  /** A reader at the beginning of a text. */
  reader(): SubstringReader {
    const { next, length, link, symbols } = this;
    let state = 0;
    let matched = 0;
    return {
      // HOT PATH: runs for every character of an answer.
      step: (code) => {
        const symbol = this.symbolOf(code);
        if (symbol === NONE) {
          state = 0;
          matched = 0;
          return 0;
        }
        let to = next[state * symbols + symbol]!;
        while (to === NONE && state !== 0) {
          state = link[state]!;
          matched = length[state]!;
          to = next[state * symbols + symbol]!;
        }
        if (to === NONE) return 0;
        state = to;
        return ++matched;
      },
    };
  }

  /** True when `text` has `least` characters in a row that stand together in one of the texts. */
  occursIn(text: string, least: number): boolean {
    const reader = this.reader();
    for (let i = 0; i < text.length; i++) if (reader.step(text.charCodeAt(i)) >= least) return true;
    return false;
  }

  private symbolOf(code: number): number {
    return code < 128 ? this.ascii[code]! : (this.others.get(code) ?? NONE);
  }

  private number(code: number, symbol: number): void {
    if (code >= 128) this.others.set(code, symbol);
    else {
      this.ascii[code] = symbol;
      if (code >= 97 && code <= 122) this.ascii[code - 32] = symbol;
    }
  }

  private extend(last: number, symbol: number): number {
    const known = this.to(last, symbol);
    if (known !== NONE) {
      return this.length[known] === this.length[last]! + 1 ? known : this.split(known, last, symbol);
    }
    const added = this.add(this.length[last]! + 1);
    let at = last;
    while (at !== -1 && this.to(at, symbol) === NONE) {
      this.next[at * this.symbols + symbol] = added;
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
    this.next.copyWithin(copy * this.symbols, to * this.symbols, (to + 1) * this.symbols);
    this.link[copy] = this.link[to]!;
    this.link[to] = copy;
    for (let at = from; at !== -1 && this.to(at, symbol) === to; at = this.link[at]!) {
      this.next[at * this.symbols + symbol] = copy;
    }
    return copy;
  }

  private to(state: number, symbol: number): number {
    return this.next[state * this.symbols + symbol]!;
  }

  private add(length: number): number {
    const state = this.length.push(length) - 1;
    this.link.push(0);
    if ((state + 1) * this.symbols > this.next.length) {
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

// Letters without their case.
function folded(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}
