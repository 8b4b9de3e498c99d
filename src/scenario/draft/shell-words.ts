import { UserError } from '../../model/errors.ts';
import { reference } from '../env.ts';

/**
 * Splits a pasted command line into words, by the rules of the shell that it was copied for. Nothing is executed. A shell
 * variable becomes a reference to the environment: `$KEY` is `${env:KEY}`.
 */

/** Thrown for a command line whose last quote is not closed: more lines may follow. */
export class UnfinishedCommand extends UserError {}

/** The words of a command for bash (also zsh, and PowerShell's line ends), or for cmd.exe if it has its escapes. */
export function shellWords(command: string): string[] {
  const text = command.trim().replace(/^(?:[$#>!]\s*)(?=curl)/, '');
  return isForCmd(text) ? cmdWords(text) : bashWords(text);
}

/** True if a command goes on after this text: it ends with a line continuation. */
export function isContinued(text: string): boolean {
  return /[\\^`]\s*$/.test(text);
}

/** A text as it was written: `${env:NAME}` in it is not a reference to the environment. */
export function literalText(text: string): string {
  return text.split('${env:').join('$${env:');
}

/** A word that bash reads as this text. */
export function bashQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function isForCmd(text: string): boolean {
  return /\^(\s*[\r\n]|")/.test(text) && !/\\\r?\n/.test(text);
}

/** Collects the characters of the current word. */
class Words {
  readonly all: string[] = [];
  private word: string | undefined;

  add(text: string): void {
    this.word = (this.word ?? '') + text;
  }

  end(): void {
    if (this.word !== undefined) this.all.push(this.word);
    this.word = undefined;
  }

  get isOpen(): boolean {
    return this.word !== undefined;
  }
}

// Whatever follows in a pipeline or a list of commands is not part of this command.
const COMMAND_END = /^(\||;|&&|&(?=\s|$)|\d?>|<)/;
const VARIABLE = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/;
const CONTINUATION = /^[\\`][ \t]*\r?\n/;

function bashWords(text: string): string[] {
  const words = new Words();
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const [continuation] = CONTINUATION.exec(rest) ?? [];
    const char = text[at]!;
    if (continuation !== undefined) {
      at += continuation.length;
    } else if (/\s/.test(char)) {
      words.end();
      at++;
    } else if (char === "'") {
      const end = closing(text, "'", at + 1);
      words.add(literalText(text.slice(at + 1, end)));
      at = end + 1;
    } else if (char === '"') {
      at = doubleQuoted(text, at + 1, words);
    } else if (rest.startsWith("$'")) {
      at = ansiQuoted(text, at + 2, words);
    } else if (char === '\\') {
      words.add(text[at + 1] ?? '');
      at += 2;
    } else if (/[“”‘’]/.test(char) && !words.isOpen) {
      throw new UserError('usage', {
        message: `the command has a typographic quote: ${char}`,
        hint: 'a web page or a word processor has changed it; replace it by a straight quote',
      });
    } else if (!words.isOpen && COMMAND_END.test(rest)) {
      break;
    } else if (char === ';' || char === '|') {
      break;
    } else {
      at += plainOrVariable(rest, words);
    }
  }
  words.end();
  return words.all;
}

/** Adds one character, or a variable, and returns its length. */
function plainOrVariable(rest: string, words: Words): number {
  const [written, bare, braced] = VARIABLE.exec(rest) ?? [];
  const name = bare ?? braced;
  if (written !== undefined && name !== undefined) {
    words.add(reference(name));
    return written.length;
  }
  if (/^(`|\$[({])/.test(rest)) {
    throw new UserError('usage', {
      message: 'the command contains a substitution, which only a shell can replace: $(...), `...` or ${...}',
      hint: 'replace it by its value, or let the shell do it: streambench init curl ... without quotes around the command',
    });
  }
  words.add(rest[0]!);
  return 1;
}

function doubleQuoted(text: string, from: number, words: Words): number {
  words.add('');
  let at = from;
  while (at < text.length) {
    const char = text[at]!;
    if (char === '"') return at + 1;
    const [, escaped] = /^\\(["\\$`!]|\r?\n)/.exec(text.slice(at, at + 3)) ?? [];
    if (escaped !== undefined) {
      if (!/\n/.test(escaped)) words.add(escaped);
      at += 1 + escaped.length;
    } else {
      at += plainOrVariable(text.slice(at), words);
    }
  }
  throw unfinished('"');
}

const ANSI: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  f: '\f',
  v: '\v',
};
const ANSI_CODE = /^(?:x([\da-f]{1,2})|u([\da-f]{1,4})|U([\da-f]{1,8})|([0-7]{1,3}))/i;

/** `$'...'`, with the escapes of C: browsers write bodies with line breaks and non-ASCII characters like this. */
function ansiQuoted(text: string, from: number, words: Words): number {
  let at = from;
  let value = '';
  while (at < text.length) {
    const char = text[at]!;
    if (char === "'") {
      words.add(literalText(value));
      return at + 1;
    }
    if (char !== '\\') {
      value += char;
      at++;
      continue;
    }
    const [code, x, u, long, octal] = ANSI_CODE.exec(text.slice(at + 1, at + 10)) ?? [];
    const hex = x ?? u ?? long;
    if (code !== undefined) {
      value += String.fromCodePoint(
        Math.min(hex === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(hex, 16), 0x10ffff),
      );
      at += 1 + code.length;
    } else {
      const next = text[at + 1] ?? '';
      value += ANSI[next] ?? next;
      at += 2;
    }
  }
  throw unfinished("'");
}

function closing(text: string, quote: string, from: number): number {
  const end = text.indexOf(quote, from);
  if (end === -1) throw unfinished(quote);
  return end;
}

function unfinished(quote: string): UnfinishedCommand {
  return new UnfinishedCommand('usage', {
    message: `the command has an opening ${quote} without a closing one`,
    hint: "paste the whole command; in a shell, put it between <<'END' and END: streambench init - <<'END'",
  });
}

// cmd.exe removes `^` first; then curl's own start code reads quotes and backslashes. A browser doubles every backslash of a
// body, whether or not a quote follows, so a doubled one is always read as one.
function cmdWords(text: string): string[] {
  const words = new Words();
  // A caret before a line break continues the line; a second line break is then part of the text.
  const plain = text
    .replaceAll(/\^\r?\n(\r?\n)?/g, (_, kept?: string) => (kept === undefined ? ' ' : '\n'))
    .replaceAll(/\^(.)/gs, '$1');
  let quoted = false;
  for (let at = 0; at < plain.length; at++) {
    const char = plain[at]!;
    const next = plain[at + 1];
    if (char === '\\' && (next === '"' || next === '\\')) {
      words.add(next);
      at++;
    } else if (char === '"' && quoted && next === '"') {
      words.add('"');
      at++;
    } else if (char === '"') {
      quoted = !quoted;
      words.add('');
    } else if (!quoted && /\s/.test(char)) {
      words.end();
    } else {
      const [variable, name] = /^%([A-Za-z_]\w*)%/.exec(plain.slice(at)) ?? [];
      words.add(name === undefined ? char : reference(name));
      if (variable !== undefined) at += variable.length - 1;
    }
  }
  if (quoted) throw unfinished('"');
  words.end();
  return words.all;
}
