import type { CompletedCommand, Value } from './command-tree.ts';

/** The completion script for bash, from version 3.2 on. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const named = commands.filter(({ path }) => path.length > 0);
  return `# bash completion for streambench: eval "$(streambench completion bash)"
_streambench() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="" path="" word="" i words="" kind="" count=0
  ((COMP_CWORD > 0)) && prev="\${COMP_WORDS[COMP_CWORD-1]}"
  # bash splits --option=value into three words.
  if [[ $cur == "=" ]]; then
    cur=""
  elif [[ $prev == "=" ]] && ((COMP_CWORD > 1)); then
    prev="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ $word == -* ]] && continue
    case "$path/$word" in
${named.map(({ path }) => `      ${quoted(joined(path))}) path=${quoted(joined(path))} ;;`).join('\n')}
    esac
  done
  case "$path $prev" in
${commands.flatMap(valueCases).join('\n')}
  esac
  if [[ -z $kind ]]; then
    if [[ $cur == -* ]]; then
      kind=words
      case "$path" in
${commands.map((command) => `        ${quoted(joined(command.path))}) words=${quoted(optionNames(command).join(' '))} ;;`).join('\n')}
      esac
    else
      case "$path" in
${commands.map((command) => `        ${quoted(joined(command.path))}) ${assigned(argumentsOf(command))} ;;`).join('\n')}
      esac
    fi
  fi
  local IFS=$' \\t\\n' prefix=""
  case "$kind" in
    list)
      [[ $cur == *,* ]] && prefix="\${cur%,*},"
      COMPREPLY=($(compgen -P "$prefix" -W "$words" -- "\${cur##*,}"))
      ;;
    words) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
    files)
      compopt -o filenames 2>/dev/null
      IFS=$'\\n'
      COMPREPLY=($(compgen -f -- "$cur"))
      ;;
    *) COMPREPLY=() ;;
  esac
}
complete -F _streambench streambench
`;
}

function joined(path: readonly string[]): string {
  return path.map((word) => `/${word}`).join('');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function assigned(value: Value): string {
  switch (value.kind) {
    case 'words':
    case 'list':
      return `kind=${value.kind} words=${quoted(value.words.join(' '))}`;
    case 'files':
    case 'text':
      return `kind=${value.kind}`;
    default:
      return value satisfies never;
  }
}

/** For each option with a value, the case that selects what may follow it. */
function valueCases({ path, options }: CompletedCommand): string[] {
  return options.flatMap(({ long, short, value }) => {
    if (value === undefined) return [];
    const names = [long, short].filter((name) => name !== undefined);
    return [`    ${names.map((name) => quoted(`${joined(path)} ${name}`)).join('|')}) ${assigned(value)} ;;`];
  });
}

function optionNames({ options }: CompletedCommand): string[] {
  return options.flatMap(({ long, short }) => [long, short].filter((name) => name !== undefined));
}

/** What may stand at any position. bash is not told the position, because options may stand between. */
function argumentsOf({ subcommands, args }: CompletedCommand): Value {
  if (subcommands.length > 0) return { kind: 'words', words: subcommands.map(({ name }) => name) };
  return args.find(({ kind }) => kind !== 'text') ?? { kind: 'text' };
}
