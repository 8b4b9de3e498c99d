import type { Operator } from '../../metrics/objective-check.ts';
import { UserError } from '../../model/errors.ts';

/** Shared by the grammars of thresholds and objectives: reading a line and reporting the column of an error. */

/** The name of a metric or of a label. */
export const NAME = /[\p{L}_][\p{L}\p{N}_-]*/uy;

const OPERATOR = /<=|>=|==|!=|<|>/y;
const SPACE = /\s*/y;

/** Reads one line from left to right. */
export class Scanner {
  readonly text: string;
  private readonly kind: string;
  at = 0;

  /** `kind`: what errors name as the place of an empty expression. */
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

  /** The next characters, for a message. */
  next(): string {
    return this.at >= this.text.length ? 'the end' : `"${this.text.slice(this.at, this.at + 12)}"`;
  }

  fail(message: string, hint: string, at = this.at): never {
    const file = this.text === '' ? this.kind : this.text;
    const column = at + 1;
    throw new UserError('usage', { message: `${message} (column ${column})`, place: { file, column }, hint });
  }
}

/** Reads an operator; throws a `UserError` where there is none. */
export function readOperator(scanner: Scanner): Operator {
  scanner.space();
  const operator = scanner.match(OPERATOR)?.[0];
  if (operator !== undefined) return operator as Operator;
  const hint = scanner.text[scanner.at] === '=' ? 'write == for equal' : 'one of: < <= > >= == !=';
  scanner.fail(`expected an operator, found ${scanner.next()}`, hint);
}
