import { type Command, Option } from 'commander';
import type { SideFlags, SideLetter } from '../../scenario/from-ab.ts';
import { choiceOption, collect, wholeOption } from './values.ts';

/** The request options, as commander delivers them. */
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

/** Values of `--mode`; `both` measures both modes, interleaved. */
export const MODES = ['streaming', 'non-streaming', 'both'] as const;

const DIALECT_HELP = 'API dialect, such as openai-chat, anthropic or sse';
const KEY_HELP = "API key (default: the provider's environment variable)";
const BODY_HELP = 'request body, or @FILE; may contain {{prompt}} and other placeholders';
const EXACT_URL_HELP = 'use the URL as it is, without adding the path of the dialect';
const MAX_TOKENS_HELP = 'limit of the answer length, in tokens';

/** Adds the request options, which `run`, `ab` and `probe` share. */
export function addRequestOptions(command: Command): void {
  command
    .option('--dialect <name>', `${DIALECT_HELP} (default: from provider or URL)`)
    .option('--prompt <text>', 'prompt to send')
    .addOption(wholeOption('--max-tokens <count>', MAX_TOKENS_HELP, { min: 1 }))
    .option('--api-key <key>', KEY_HELP)
    .addOption(
      choiceOption('--method <method>', 'HTTP method of a plain endpoint: GET or POST', ['GET', 'POST'], {
        ignoreCase: true,
      }),
    )
    .option('--body <text>', BODY_HELP)
    .option('--text-path <path>', "path of the text in an event's JSON, for a plain endpoint")
    .option('--exact-url', EXACT_URL_HELP);
}

/** The option for request headers. */
export function headerOption(): Option {
  return new Option('-H, --header <header>', 'request header, as "name: value"; repeatable')
    .argParser(collect)
    .default([]);
}

/** Adds the options for one side of `ab`. The help lists those of side A only. */
export function addSideOptions(command: Command): void {
  command.optionsGroup('For side A only (the same options end in -b for side B, such as --model-b):');
  for (const side of ['a', 'b'] as const) {
    const options = [
      option('provider', '<name>', 'provider of the URL'),
      option('model', '<name>', 'model name'),
      option('dialect', '<name>', DIALECT_HELP),
      option('api-key', '<key>', KEY_HELP),
      option('header', '<header>', 'request header, as "name: value"; repeatable').argParser(collect),
      wholeOption(`--max-tokens-${side} <count>`, MAX_TOKENS_HELP, { min: 1 }),
      choiceOption(`--method-${side} <method>`, 'HTTP method: GET or POST', ['GET', 'POST'], {
        ignoreCase: true,
      }),
      option('body', '<text>', BODY_HELP),
      option('text-path', '<path>', "path of the text in an event's JSON"),
      option('exact-url', '', EXACT_URL_HELP),
    ];
    function option(name: string, value: string, description: string) {
      return command.createOption(`--${name}-${side}${value === '' ? '' : ` ${value}`}`, description);
    }
    for (const one of options) command.addOption(side === 'a' ? one : one.hideHelp());
  }
}

/** The options of one side, without the suffix of the side in their names. */
export function sideFlags(flags: object, side: SideLetter): SideFlags {
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
