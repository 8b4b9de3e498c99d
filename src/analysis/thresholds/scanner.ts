import type { Operator } from '../../metrics/objective-check.ts';
import { UserError } from '../../model/errors.ts';

/** What the grammars of conditions have in common: reading a line, and saying where in it something is wrong. */

/** The name of a metric or of a label. */
export const NAME = /[\p{L}_][\p{L}\p{N}_-]*/uy;

const OPERATOR = /<=|>=|==|!=|<|>/y;
const SPACE = /\s*/y;

/** A reader of one line that knows where it is. */
export class Scanner {
  readonly text: string;
  private readonly kind: string;
  at = 0;

  /** `kind` stands for the place of an expression that is empty. */
  constructor(text: string, kind: string) {
    this.text = text;
    this.kind = kind;
  }

  space(): void {
    this.match(SPACE);
  }

  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text) ?? undefined;
    if (match) this.at = pattern.lastIndex;
    return match;
  }

  take(token: string): boolean {
    this.space();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  /** What comes next, for a message. */
  next(): string {
    return this.at >= this.text.length ? 'the end' : `"${this.text.slice(this.at, this.at + 12)}"`;
  }

  fail(message: string, hint: string, at = this.at): never {
    const file = this.text === '' ? this.kind : this.text;
    const column = at + 1;
    throw new UserError('usage', { message: `${message} (column ${column})`, place: { file, column }, hint });
  }
}

/** Reads a comparison; throws a `UserError` where there is none. */
export function readOperator(scanner: Scanner): Operator {
  scanner.space();
  const operator = scanner.match(OPERATOR)?.[0];
  if (operator !== undefined) return operator as Operator;
  const hint = scanner.text[scanner.at] === '=' ? 'write == for equal' : 'one of: < <= > >= == !=';
  scanner.fail(`expected a comparison, found ${scanner.next()}`, hint);
}
