import type { CompletedCommand, CompletedOption, Value } from './command-tree.ts';

/** The completion script for fish. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  return `# fish completion for streambench: streambench completion fish | source
function __streambench_at
    # True if the words so far that are no options begin with these; with --exactly, if they are these.
    set -l exactly
    if test "$argv[1]" = --exactly
        set exactly yes
        set -e argv[1]
    end
    set -l found
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; and continue
        set -a found $word
    end
    set -l wanted (count $argv)
    test -n "$exactly"; and test (count $found) -ne $wanted; and return 1
    test (count $found) -ge $wanted; or return 1
    test $wanted -eq 0; or test "$found[1..$wanted]" = "$argv"
end
complete -c streambench -e
complete -c streambench -f
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, options, args, subcommands }: CompletedCommand): string[] {
  const at = (exactly: boolean) =>
    `complete -c streambench -n ${quoted(['__streambench_at', ...(exactly ? ['--exactly'] : []), ...path].join(' '))}`;
  const argument = args.find(({ kind }) => kind !== 'text');
  return [
    ...subcommands.map(({ name, description }) => `${at(true)} -a ${name} -d ${quoted(description)}`),
    ...options.map((option) => `${at(path.length === 0)} ${optionWords(option)}`),
    ...(argument === undefined ? [] : [`${at(false)} ${valueWords(argument)}`]),
  ];
}

function optionWords({ long, short, description, value }: CompletedOption): string {
  return [
    ...(long === undefined ? [] : [`-l ${long.slice(2)}`]),
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    ...(value === undefined ? [] : [value.kind === 'files' ? '-r -F' : `-x ${valueWords(value)}`.trimEnd()]),
    `-d ${quoted(description)}`,
  ].join(' ');
}

function valueWords(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `-a ${quoted(value.words.join(' '))}`;
    case 'list':
      return `-a ${quoted(`(__fish_append , ${value.words.join(' ')})`)}`;
    case 'files':
      return '-F';
    case 'text':
      return '';
    default:
      return value satisfies never;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
