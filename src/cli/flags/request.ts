import { type Command, Option } from 'commander';
import { choiceOption, collect, wholeOption } from './values.ts';

/** Options that say what is asked of an endpoint, as commander delivers them. */
export interface RequestFlags {
  dialect?: string;
  prompt?: string;
  maxTokens?: number;
  apiKey?: string;
  header: string[];
  method?: string;
  body?: string;
  textPath?: string;
  exactUrl?: boolean;
}

/** The modes of a command line; `both` measures them side by side. */
export const MODES = ['streaming', 'non-streaming', 'both'] as const;

const BODY_HELP = 'the request body, or @FILE; {{prompt}} and others stand for what is asked';

/** Adds the options that say what is asked: the same for `run`, `ab` and `probe`. */
export function addRequestOptions(command: Command): void {
  command
    .option('--dialect <name>', "the wire format (default: the provider's, or what the URL ends in)")
    .option('--prompt <text>', 'what to ask')
    .addOption(wholeOption('--max-tokens <count>', 'upper limit of the answer in tokens', { min: 1 }))
    .option('--api-key <key>', "the key (default: the provider's environment variable)")
    .addOption(
      choiceOption('--method <method>', 'for plain endpoints: GET or POST', ['GET', 'POST'], {
        ignoreCase: true,
      }),
    )
    .option('--body <text>', BODY_HELP)
    .option('--text-path <path>', "for plain endpoints: where the text is in an event's JSON")
    .option('--exact-url', "send to the URL as it is, without the dialect's path");
}

/** The option for request headers. */
export function headerOption(): Option {
  return new Option('-H, --header <header>', 'a request header, as "name: value"; may be repeated')
    .argParser(collect)
    .default([]);
}

/** A side of `ab`. */
export type Side = 'a' | 'b';

/** What the options of one side of `ab` say. */
export interface SideFlags extends Partial<Omit<RequestFlags, 'prompt'>> {
  provider?: string;
  model?: string;
}

/** Adds the options that hold for one side of `ab` only. In the help, those of B stand behind those of A. */
export function addSideOptions(command: Command): void {
  command.optionsGroup('For one side, such as --model-a; each has a twin for B (--model-b):');
  for (const side of ['a', 'b'] as const) {
    const options = [
      option('provider', '<name>', 'a provider known by name, for a URL'),
      option('model', '<name>', 'the model'),
      option('dialect', '<name>', 'the wire format'),
      option('api-key', '<key>', "the key (default: the provider's environment variable)"),
      option('header', '<header>', 'a request header, as "name: value"; may be repeated').argParser(collect),
      wholeOption(`--max-tokens-${side} <count>`, 'upper limit of the answer in tokens', { min: 1 }),
      choiceOption(`--method-${side} <method>`, 'GET or POST', ['GET', 'POST'], { ignoreCase: true }),
      option('body', '<text>', BODY_HELP),
      option('text-path', '<path>', "where the text is in an event's JSON"),
      option('exact-url', '', "send to the URL as it is, without the dialect's path"),
    ];
    function option(name: string, value: string, description: string) {
      return command.createOption(`--${name}-${side}${value === '' ? '' : ` ${value}`}`, description);
    }
    for (const one of options) command.addOption(side === 'a' ? one : one.hideHelp());
  }
}

/** The options of one side, without the side in their names. */
export function sideFlags(flags: object, side: Side): SideFlags {
  const suffix = side.toUpperCase();
  const own = Object.entries(flags).filter(
    ([name]) => SIDE_NAMES.has(name.slice(0, -1)) && name.endsWith(suffix),
  );
  return Object.fromEntries(own.map(([name, value]) => [name.slice(0, -1), value]));
}

const SIDE_NAMES: ReadonlySet<string> = new Set<keyof SideFlags>([
  'provider',
  'model',
  'dialect',
  'apiKey',
  'header',
  'maxTokens',
  'method',
  'body',
  'textPath',
  'exactUrl',
]);
