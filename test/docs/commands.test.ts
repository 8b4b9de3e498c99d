import { type Command, CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { joinCurlWords } from '../../src/cli/commands/init.ts';
import { createProgram } from '../../src/cli/program.ts';
import { blocksOf, DOCUMENTS } from './documents.ts';

// Every command line of ours that the documentation shows is one that the program's own parser takes.

const CALL = /(?:npx (?:--yes )?streambench|^streambench|node bin\/streambench\.js) ([^|>&;]*)/;

interface Call {
  place: string;
  line: string;
  args: string[];
}

const calls: Call[] = DOCUMENTS.flatMap((document) =>
  blocksOf(document, 'sh', 'console', 'yml').flatMap(({ path, line, code }) =>
    code.split('\n').flatMap((text, index): Call[] => {
      const [, rest] =
        CALL.exec(
          text
            .trim()
            .replace(/^- /, '')
            .replace(/\s#.*$/, ''),
        ) ?? [];
      return rest === undefined
        ? []
        : [{ place: `${path}:${line + index}`, line: text.trim(), args: words(rest) }];
    }),
  ),
);

/** The words of a command line as a shell splits it; a variable is a word. `"$@"` is left out. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)]
    .map(([, double, single, plain]) => double ?? single ?? plain ?? '')
    .filter((word) => word !== '$@');
}

/** Parses a command line and runs nothing. */
async function parse(args: readonly string[]): Promise<string> {
  let said = '';
  const session = { print: () => {}, warn: (text: string) => (said += text) };
  const program = createProgram(
    () => {
      throw new Error('a command was run');
    },
    () => session,
  );
  const silence = (command: Command) => {
    command.action(() => {});
    command.commands.forEach(silence);
  };
  program.commands.forEach(silence);
  try {
    await program.parseAsync(args, { from: 'user' });
    return '';
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return '';
    return `${said}${(error as Error).message}`;
  }
}

test('the search finds command lines, and the parser refuses what is wrong', async () => {
  expect(calls.length).toBeGreaterThan(25);
  expect(await parse(['run', '--no-such-flag'])).toContain('--no-such-flag');
  expect(await parse(['ab', 'one', 'two', 'three'])).not.toBe('');
});

test.each(calls)('$place: $line', async ({ args }) => {
  // The words of a curl command after init are one word for the parser.
  expect(await parse(joinCurlWords(['node', 'streambench', ...args]).slice(2))).toBe('');
});
