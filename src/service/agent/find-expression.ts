import { isExpression, MAX_EXPRESSION_LENGTH } from './calculator.ts';

// One token of an expression: a number, an operator or a bracket. Sticky and unambiguous, so that each character of a
// message is read a bounded number of times.
const TOKEN = /(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?|\*\*|[+\-*/%^×÷−()]| +/iy;
// Signs that an expression cannot start or end with.
const LEADING_SIGNS = /^[+*/^%)×÷− ]+/;
const TRAILING_SIGNS = '+-*/^%(×÷− ';
// Not an expression: 2026-01-31, 555-1234, 1/2/2026.
const DATE_OR_NUMBER = /^\d+(?:[-/]\d+)+$/;
const OPERATOR = /[+*/^%×÷−]|\s-\s/;

/**
 * The first arithmetic expression in a message; undefined if there is none. It need not have a finite value: for `1/0` the
 * calculator reports the error. Takes time linear in the message's length.
 */
export function findExpression(message: string): string | undefined {
  let at = 0;
  while (at < message.length) {
    const end = endOfRun(message, at);
    if (end === at) {
      at++;
      continue;
    }
    const expression = readExpression(message.slice(at, end));
    if (expression !== undefined) return expression;
    at = end;
  }
  return undefined;
}

/** The end of the run of tokens that starts at `start`. */
function endOfRun(message: string, start: number): number {
  let at = start;
  for (;;) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(message);
    if (token === null) return at;
    at += token[0].length;
  }
}

function readExpression(run: string): string | undefined {
  let end = run.length;
  while (end > 0 && TRAILING_SIGNS.includes(run.charAt(end - 1))) end--;
  const expression = run.slice(0, end).replace(LEADING_SIGNS, '');
  // The calculator refuses longer ones.
  if (expression.length > MAX_EXPRESSION_LENGTH) return undefined;
  if (!OPERATOR.test(expression) || DATE_OR_NUMBER.test(expression)) return undefined;
  return isExpression(expression) ? expression : undefined;
}
