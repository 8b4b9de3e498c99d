import type { Clock } from '../../model/clock.ts';
import { errorMessage } from '../../model/errors.ts';
import { asObject, type Json, parseJson } from '../../wire/json.ts';
import { calculate } from './calculator.ts';
import { findExpression } from './find-expression.ts';

/** A tool of an agent. The built-in tools have no side effects. */
export interface Tool {
  name: string;
  /** Description for the model. */
  description: string;
  /** JSON Schema of its arguments. */
  parameters: Json;
  /** The arguments for a message that clearly needs this tool, for models that cannot call tools. */
  plan?(message: string): Json | undefined;
  /** Runs the tool. Throws an `Error` with one sentence for invalid arguments. */
  run(args: Json, context: ToolContext): unknown;
}

/** What a tool can use. */
export interface ToolContext {
  clock: Clock;
}

/** A complete tool call. */
export interface ToolCall {
  id: string;
  name: string;
  /** JSON text. */
  arguments: string;
}

const calculator: Tool = {
  name: 'calculator',
  description: 'Evaluates an arithmetic expression with + - * / % ^ and brackets.',
  parameters: {
    type: 'object',
    properties: { expression: { type: 'string', description: 'such as (2 + 3) * 4' } },
    required: ['expression'],
  },
  plan(message) {
    const expression = findExpression(message);
    return expression === undefined ? undefined : { expression };
  },
  run({ expression }) {
    if (typeof expression !== 'string') throw new Error('"expression" is not a string');
    return { expression, value: calculate(expression) };
  },
};

const clock: Tool = {
  name: 'clock',
  description: 'Returns the date and the time of day in a time zone.',
  parameters: {
    type: 'object',
    properties: {
      timeZone: { type: 'string', description: 'IANA name, such as Asia/Shanghai; default UTC' },
    },
  },
  plan(message) {
    if (!needsTime(message)) return undefined;
    const zone = /\b[A-Z][a-z]+\/[A-Z][A-Za-z_]+\b/.exec(message)?.[0];
    return zone === undefined ? {} : { timeZone: zone };
  },
  run({ timeZone = 'UTC' }, context) {
    if (typeof timeZone !== 'string') throw new Error('"timeZone" is not a string');
    const now = context.clock.wallTime();
    let local: string;
    try {
      local = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long', timeZone }).format(
        now,
      );
    } catch {
      throw new Error(`there is no time zone "${timeZone}"`);
    }
    return { timeZone, iso: now.toISOString(), local };
  },
};

/** The tools of the reference service. */
export const TOOLS: readonly Tool[] = [calculator, clock];

/** The calls that a message clearly needs, at most one per tool. */
export function planCalls(
  message: string,
  tools: readonly Tool[],
  callId: (index: number) => string,
): ToolCall[] {
  const calls: ToolCall[] = [];
  for (const { name, plan } of tools) {
    const args = plan?.(message);
    if (args !== undefined) calls.push({ id: callId(calls.length), name, arguments: JSON.stringify(args) });
  }
  return calls;
}

/** Runs a call. Never throws: an error is returned as `{ error }`, because a model can correct its calls. */
export function runCall(call: ToolCall, tools: readonly Tool[], context: ToolContext): unknown {
  const tool = tools.find(({ name }) => name === call.name);
  if (tool === undefined) {
    return { error: `there is no tool "${call.name}"; known: ${tools.map(({ name }) => name).join(', ')}` };
  }
  const args = call.arguments.trim() === '' ? {} : asObject(parseJson(call.arguments));
  if (args === undefined) return { error: 'the arguments are not a JSON object' };
  try {
    const result = tool.run(args, context);
    if (!isJson(result)) return { error: `the result of "${tool.name}" cannot be written as JSON` };
    return result;
  } catch (error) {
    return { error: errorMessage(error) };
  }
}

/** True for a value that can be written as JSON. A promise cannot: tools are synchronous. */
function isJson(value: unknown): boolean {
  if (value instanceof Promise) {
    // Nothing awaits it, so its rejection would be unhandled.
    value.catch(() => {});
    return false;
  }
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}

const TIME_WORDS = /\bwhat (?:time|date|day)\b|\b(?:current|the) time\b|\btoday's date\b|几点/i;

/** True when a message asks for the time or the date. */
function needsTime(message: string): boolean {
  return (
    TIME_WORDS.test(message) ||
    hasInOrder(message, '现在', ['时间']) ||
    hasInOrder(message, '今天', ['几号', '日期', '星期'])
  );
}

/** True when one of `later` follows `first` in a line. Linear; a pattern such as `a.*b` is quadratic. */
function hasInOrder(message: string, first: string, later: readonly string[]): boolean {
  return message.split('\n').some((line) => {
    const at = line.indexOf(first);
    return at !== -1 && later.some((word) => line.indexOf(word, at + first.length) !== -1);
  });
}
