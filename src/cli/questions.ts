import { createInterface } from 'node:readline/promises';
import { UserError } from '../model/errors.ts';

/** Asks the user on a terminal. */
export interface Questions {
  /** One line. An empty answer is `initial`; without it the question is repeated. */
  ask(question: string, initial?: string): Promise<string>;
  /** Lines, until `isComplete` is true for them. */
  askLines(question: string, isComplete: (text: string) => boolean): Promise<string>;
  close(): void;
}

/** The terminal that the questions appear on. */
export interface QuestionStreams {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/**
 * Opens the questions. All lines are kept: a pasted command has several, which arrive before the next question. Ctrl-C and
 * Ctrl-D end a question with a `UserError` (`usage`).
 */
export function openQuestions({ input, output }: QuestionStreams): Questions {
  const lines: string[] = [];
  let wake: (() => void) | undefined;
  let isClosed = false;
  let isInterrupted = false;
  const reader = createInterface({ input, output, terminal: true });
  const update = () => {
    wake?.();
    wake = undefined;
  };
  reader.on('line', (line) => {
    lines.push(line);
    update();
  });
  reader.on('SIGINT', () => {
    isInterrupted = true;
    reader.close();
  });
  reader.on('close', () => {
    isClosed = true;
    update();
  });
  const nextLine = async (question: string): Promise<string> => {
    if (lines.length === 0 && !isClosed) {
      reader.setPrompt(question);
      reader.prompt();
    }
    while (lines.length === 0 && !isClosed) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const line = lines.shift();
    if (line !== undefined) return line;
    output.write('\n');
    const cause = isInterrupted ? 'interrupted' : 'the input ended before this question was answered';
    throw new UserError('usage', {
      message: `${cause}; no file was written`,
      hint: 'streambench init --help',
    });
  };
  return {
    async ask(question, initial) {
      for (;;) {
        const suffix = initial === undefined ? '' : ` [${initial}]`;
        const answer = (await nextLine(`${question}${suffix}: `)).trim();
        if (answer !== '') return answer;
        if (initial !== undefined) return initial;
      }
    },
    async askLines(question, isComplete) {
      let text = await nextLine(`${question}: `);
      while (text.trim() === '' || !isComplete(text)) text += `\n${await nextLine('> ')}`;
      return text;
    },
    close: () => reader.close(),
  };
}
