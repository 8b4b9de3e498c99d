import type { CompletedCommand, CompletedOption, Value } from './command-tree.ts';

/** The completion script for zsh: sourced, or as the file `_streambench` in a folder of `fpath`. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef streambench
# zsh completion for streambench: eval "$(streambench completion zsh)", after compinit

${commands.map((command) => completionFunction(command, commands)).join('\n\n')}

if [[ \${funcstack[1]} == _streambench ]]; then
  _streambench "$@"
else
  compdef _streambench streambench
fi
`;
}

function functionName(path: readonly string[]): string {
  return ['_streambench', ...path].join('_').replaceAll('-', '_');
}

function completionFunction(
  { path, options, args, variadic, subcommands }: CompletedCommand,
  commands: readonly CompletedCommand[],
): string {
  const specs = options.flatMap(optionSpecs);
  if (subcommands.length === 0) {
    const positions = args.map((value, index) => {
      const position = variadic && index === args.length - 1 ? '*' : String(index + 1);
      return quoted(`${position}:argument:${action(value)}`);
    });
    return `${functionName(path)}() {
  _arguments -s ${[...specs, ...positions].join(' \\\n    ')}
}`;
  }
  const described = subcommands.map(
    ({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(':', '\\:')}`)}`,
  );
  const cases = subcommands
    .filter(({ name }) => commands.some((one) => one.path.join(' ') === [...path, name].join(' ')))
    .map(({ name }) => `        ${name}) ${functionName([...path, name])} ;;`);
  return `${functionName(path)}() {
  local context state state_descr line curcontext="$curcontext"
  typeset -A opt_args
  local -a commands
  commands=(
${described.join('\n')}
  )
  _arguments -s -C ${[...specs, "'1:command:->command'", "'*::argument:->argument'"].join(' \\\n    ')}
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $words[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}`;
}

function optionSpecs({ long, short, description, value, repeatable }: CompletedOption): string[] {
  const names = [long, short].filter((name) => name !== undefined);
  const exclusive = repeatable ? '*' : names.length > 1 ? `(${names.join(' ')})` : '';
  const text = description.replaceAll(/[[\]\\:]/g, '\\$&');
  const after = value === undefined ? '' : `:value:${action(value)}`;
  return names.map((name) => {
    const joint = value === undefined ? '' : name.startsWith('--') ? '=' : '+';
    return quoted(`${exclusive}${name}${joint}[${text}]${after}`);
  });
}

function action(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `(${value.words.join(' ')})`;
    case 'list':
      return `_values -s , value ${value.words.join(' ')}`;
    case 'files':
      return '_files';
    case 'text':
      return ' ';
    default:
      return value satisfies never;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
