/** Longest expression that is evaluated, in characters. */
export const MAX_EXPRESSION_LENGTH = 200;
/** Deepest nesting of brackets, signs and powers, so that a hostile expression cannot exhaust the stack. */
const MAX_DEPTH = 50;

/**
 * The value of an arithmetic expression: numbers, `+ - * / %`, `^` (or `**`, right-associative), signs, brackets. It is
 * parsed, never run as code. Throws an `Error` with one sentence when it is invalid or has no finite value.
 */
export function calculate(expression: string): number {
  if (expression.length > MAX_EXPRESSION_LENGTH) {
    throw new Error(`the expression is longer than ${MAX_EXPRESSION_LENGTH} characters`);
  }
  const value = new Parser(expression).parse();
  if (!Number.isFinite(value)) throw new Error('the expression has no finite value');
  return value;
}

/** True for text that `calculate` can parse, even if its value is not finite. */
export function isExpression(text: string): boolean {
  if (text.length > MAX_EXPRESSION_LENGTH) return false;
  try {
    new Parser(text).parse();
    return true;
  } catch {
    return false;
  }
}

class Parser {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text.replaceAll('**', '^').replaceAll('×', '*').replaceAll('÷', '/').replaceAll('−', '-');
  }

  parse(): number {
    const value = this.sum();
    this.skipSpace();
    if (this.at < this.text.length) throw this.unexpected();
    return value;
  }

  private sum(): number {
    let value = this.product();
    for (;;) {
      if (this.take('+')) value += this.product();
      else if (this.take('-')) value -= this.product();
      else return value;
    }
  }

  private product(): number {
    let value = this.signed();
    for (;;) {
      if (this.take('*')) value *= this.signed();
      else if (this.take('/')) value /= this.signed();
      else if (this.take('%')) value %= this.signed();
      else return value;
    }
  }

  private signed(): number {
    return this.deeper(() => {
      if (this.take('-')) return -this.signed();
      if (this.take('+')) return this.signed();
      return this.power();
    });
  }

  // Binds tighter than a sign on its left, and accepts one on its right: -2^2 is -4, 2^-1 is 0.5.
  private power(): number {
    const base = this.atom();
    return this.take('^') ? base ** this.signed() : base;
  }

  private atom(): number {
    if (this.take('(')) {
      const value = this.sum();
      if (!this.take(')')) throw this.unexpected();
      return value;
    }
    this.skipSpace();
    const [digits] = /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/i.exec(this.text.slice(this.at)) ?? [];
    if (digits === undefined) throw this.unexpected();
    this.at += digits.length;
    return Number(digits);
  }

  private deeper(parse: () => number): number {
    if (++this.depth > MAX_DEPTH) throw new Error('the expression is nested too deeply');
    const value = parse();
    this.depth--;
    return value;
  }

  private take(sign: string): boolean {
    this.skipSpace();
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  private skipSpace(): void {
    while (this.text[this.at] === ' ') this.at++;
  }

  private unexpected(): Error {
    const sign = this.text[this.at];
    return new Error(
      sign === undefined
        ? 'the expression ends too early'
        : `unexpected "${sign}" at character ${this.at + 1}`,
    );
  }
}
