import { Option } from 'commander';
import { UserError } from '../../model/errors.ts';
import { formatTimeLimit } from '../../model/format.ts';
import { nearNames } from '../../model/suggestions.ts';
import { MAX_DURATION_MS, parseDuration } from '../../scenario/size-and-duration.ts';

/**
 * Options that check their values while the command line is parsed. An invalid value is a `UserError` (`usage`) with the
 * flag, what was expected and what was found.
 */

/** Inclusive bounds of a number. */
export interface Bounds {
  /** Default: 0. */
  min?: number;
  /** Default: none. */
  max?: number;
}

/** An option that takes a whole number. */
export function wholeOption(flags: string, description: string, bounds: Bounds = {}): Option {
  return checked(flags, description, (text) => wholeNumber(text, bounds), aWhole(bounds));
}

/** The option for a port to listen on. */
export function portOption(port: number): Option {
  const description = 'port to listen on; 0 picks a free port';
  return wholeOption('-p, --port <port>', description, { max: 65_535 }).default(port);
}

/** An option for where to listen: a port on the loopback interface, or HOST:PORT. Parsed to `{ host, port }`. */
export function listenOption(flags: string, description: string): Option {
  const address = (text: string) => {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]:|([^:]+):)?(\d{1,5})$/.exec(text) ?? [];
    if (port === undefined || Number(port) > 65_535) return undefined;
    return { host: bracketed ?? plain ?? '127.0.0.1', port: Number(port) };
  };
  return checked(flags, description, address, 'a port from 0 to 65535, or HOST:PORT');
}

/** An option that takes whole numbers separated by commas. */
export function wholeListOption(flags: string, description: string, bounds: Bounds = {}): Option {
  const list = (text: string) => listOf(text, (part) => wholeNumber(part, bounds));
  return checked(flags, description, list, `${aWhole(bounds)}, or several separated by commas`);
}

/** An option that takes a number above 0. */
export function positiveOption(flags: string, description: string): Option {
  return checked(flags, description, positive, 'a number above 0');
}

/** An option that takes numbers above 0 separated by commas. */
export function positiveListOption(flags: string, description: string): Option {
  const list = (text: string) => listOf(text, positive);
  return checked(flags, description, list, 'a number above 0, or several separated by commas');
}

/** An option that takes a percentage above 0, such as 5%; parsed to a share. */
export function percentOption(flags: string, description: string): Option {
  const share = (text: string) => {
    const percent = Number(/^(\d+(?:\.\d+)?)\s*%$/.exec(text)?.[1] ?? Number.NaN);
    return percent > 0 && percent <= 100 ? percent / 100 : undefined;
  };
  return checked(flags, description, share, 'a percentage above 0 and at most 100, such as 5%');
}

/** An option that takes a duration such as `250ms` or `1m30s`, which stays text. Bounds in ms; default: 1 ms to 24 h. */
export function durationOption(
  flags: string,
  description: string,
  { min = 1, max = MAX_DURATION_MS }: Bounds = {},
): Option {
  const duration = (text: string) => {
    const ms = parseDuration(text);
    return ms !== undefined && ms >= min && ms <= max ? text : undefined;
  };
  const limits = `${min > 1 ? ` of at least ${formatTimeLimit(min)}` : ''}${max < MAX_DURATION_MS ? ` up to ${formatTimeLimit(max)}` : ''}`;
  return checked(flags, description, duration, `a duration${limits}, such as 500ms, 10s or 1m30s`);
}

/** An option whose text must match; it stays text. `expected` completes "expected ...". */
export function textOption(
  flags: string,
  description: string,
  matches: (text: string) => boolean,
  expected: string,
): Option {
  return checked(flags, description, (text) => (matches(text) ? text : undefined), expected);
}

/** An option that takes one of `words`. With `ignoreCase`, the value is the spelling in `words`. */
export function choiceOption(
  flags: string,
  description: string,
  words: readonly string[],
  { ignoreCase = false } = {},
): Option {
  const chosen = (text: string) =>
    words.find((word) => word === text || (ignoreCase && word.toLowerCase() === text.toLowerCase()));
  const option = checked(flags, description, chosen, `one of ${words.join(', ')}`, (text) => {
    const near = nearNames(text, words);
    return near.length === 0 ? undefined : `did you mean ${near.map((word) => `"${word}"`).join(' or ')}?`;
  });
  option.argChoices = [...words];
  return option;
}

/** An option that takes some of the words, separated by commas; sorted as `words` are, each once. */
export function choiceListOption(flags: string, description: string, words: readonly string[]): Option {
  const chosen = (text: string) => {
    const parts = text.split(',').map((part) => part.trim());
    return parts.every((part) => words.includes(part))
      ? words.filter((word) => parts.includes(word))
      : undefined;
  };
  const option = checked(flags, description, chosen, `some of ${words.join(', ')}, separated by commas`);
  option.argChoices = [...words];
  return option;
}

/** An option that takes a whole number or one word. */
export function wholeOrWordOption(flags: string, description: string, word: string, bounds: Bounds): Option {
  const either = (text: string) => (text === word ? text : wholeNumber(text, bounds));
  return checked(flags, description, either, `${word}, or ${aWhole(bounds)}`);
}

/** An option that takes a number of at least `min` and at most `max`. */
export function numberOption(flags: string, description: string, { min, max }: Required<Bounds>): Option {
  const number = (text: string) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  };
  return checked(flags, description, number, `a number from ${min} to ${max}`);
}

/** An option that takes a whole number, or a duration, which stays text. */
export function wholeOrDurationOption(flags: string, description: string): Option {
  const either = (text: string) => {
    const ms = parseDuration(text);
    return wholeNumber(text, {}) ?? (ms !== undefined && ms > 0 && ms <= MAX_DURATION_MS ? text : undefined);
  };
  return checked(flags, description, either, 'a number of requests, or a duration such as 5s');
}

/** A repeatable option that takes `NAME=VALUE`. Parsed to a list of pairs. `expected` completes "expected ...". */
export function pairsOption(flags: string, description: string, expected: string): Option {
  const option = new Option(flags, description).default([]);
  return option.argParser((text: string, before: [string, string][] = []) => {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (name !== undefined && value !== undefined) return [...before, [name, value] as [string, string]];
    throw new UserError('usage', {
      message: `${option.long}: expected ${expected}, got ${JSON.stringify(text)}`,
    });
  });
}

/** Collects the values of a repeatable option. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function checked(
  flags: string,
  description: string,
  parse: (text: string) => unknown,
  expected: string,
  hint: (text: string) => string | undefined = () => undefined,
): Option {
  const option = new Option(flags, description);
  return option.argParser((text: string) => {
    const value = parse(text);
    if (value !== undefined) return value;
    throw new UserError('usage', {
      message: `${option.long}: expected ${expected}, got ${JSON.stringify(text)}`,
      hint: hint(text),
    });
  });
}

function positive(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) && Number(text) > 0 && Number.isFinite(Number(text))
    ? Number(text)
    : undefined;
}

function wholeNumber(text: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

function aWhole({ min = 0, max }: Bounds): string {
  return max === undefined ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`;
}

function listOf(text: string, parse: (part: string) => number | undefined): number[] | undefined {
  const values = text.split(',').map((part) => parse(part.trim()));
  return values.every((value) => value !== undefined) ? values : undefined;
}
