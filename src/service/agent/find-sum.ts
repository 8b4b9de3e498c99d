import { isExpression, MAX_EXPRESSION_LENGTH } from './calculator.ts';

// One piece of an expression: a number, an operator or a bracket. Sticky, and no part of it can match in two ways, so
// each character of a message is looked at a bounded number of times.
const PIECE = /(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?|\*\*|[+\-*/%^×÷−()]| +/iy;
// What an expression can neither begin nor end with.
const LEADING = /^[+*/^%)×÷− ]+/;
const TRAILING_SIGNS = '+-*/^%(×÷− ';
// 2026-01-31, 555-1234 and 1/2/2026 are no sums.
const DATE_OR_NUMBER = /^\d+(?:[-/]\d+)+$/;
const OPERATOR = /[+*/^%×÷−]|\s-\s/;

/**
 * The first arithmetic expression in a message; undefined where there is none. An expression without a finite value, such
 * as `1/0`, is one too: the calculator tells what is wrong with it. Takes time in proportion to the message's length.
 */
export function findSum(message: string): string | undefined {
  let at = 0;
  while (at < message.length) {
    const end = endOfRun(message, at);
    if (end === at) {
      at++;
      continue;
    }
    const sum = readSum(message.slice(at, end));
    if (sum !== undefined) return sum;
    at = end;
  }
  return undefined;
}

/** Where the run of expression pieces that begins at `start` ends. */
function endOfRun(message: string, start: number): number {
  let at = start;
  for (;;) {
    PIECE.lastIndex = at;
    const piece = PIECE.exec(message);
    if (piece === null) return at;
    at += piece[0].length;
  }
}

function readSum(run: string): string | undefined {
  let end = run.length;
  while (end > 0 && TRAILING_SIGNS.includes(run[end - 1]!)) end--;
  const expression = run.slice(0, end).replace(LEADING, '');
  // The calculator takes no longer ones.
  if (expression.length > MAX_EXPRESSION_LENGTH) return undefined;
  if (!OPERATOR.test(expression) || DATE_OR_NUMBER.test(expression)) return undefined;
  return isExpression(expression) ? expression : undefined;
}
